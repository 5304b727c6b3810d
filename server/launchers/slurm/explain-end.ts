/** How a job ended, as a sentence. Pure. */
import type { LaunchExit, LaunchStatus } from '../../launch/launcher.ts';

const CAUSES: Record<LaunchExit['cause'], string> = {
  exit: 'ended',
  cancelled: 'was cancelled',
  time_limit: 'reached its time limit',
  out_of_memory: 'ran out of memory',
  node_failed: 'lost its node',
  preempted: 'had to make room',
  untold: 'ended, and nothing says how',
};

export function explainEnd(
  { handle, node }: Pick<LaunchStatus, 'handle' | 'node'>,
  { cause, code, signal }: LaunchExit,
  { isInVain, hasAttached }: { isInVain: boolean; hasAttached: boolean },
): string {
  const how =
    signal !== null ? ` by signal ${signal}` : code !== null && cause === 'exit' ? ` with exit code ${code}` : '';
  const end = `Job ${handle}${node === null ? '' : ` on ${node}`} ${CAUSES[cause]}${how}`;
  if (!isInVain) return `${end}.`;
  return hasAttached
    ? `${end}: its agent reached the hub, and the run was not for it. Compare the datasets and labels of the nodes with the run's.`
    : `${end} before its agent reached the hub. Check that nodes can open the hub's address and have Node and the install folder.`;
}
