/** What Slurm's words mean to us. Pure. */
import type { EndCause, LaunchExit, LaunchState } from '../launcher.ts';

/** A job as squeue, scontrol or sacct show it. */
export interface SlurmJobRecord {
  jobId: string;
  /** First word of the state, as in CANCELLED of "CANCELLED by 1000". */
  state: string;
  reason: string | null;
  node: string | null;
  /** `code:signal`, known after the end; squeue does not tell. */
  exitCode: string | null;
  restarts: number;
}

const WAITING = ['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_HOLD', 'REQUEUE_FED', 'RESV_DEL_HOLD', 'SPECIAL_EXIT'];
/** A job that is COMPLETING still has processes. */
const RUNNING = ['RUNNING', 'COMPLETING', 'SUSPENDED', 'STOPPED', 'SIGNALING', 'STAGE_OUT', 'RESIZING'];
const ENDED: Readonly<Record<string, EndCause>> = {
  COMPLETED: 'exit',
  FAILED: 'exit',
  CANCELLED: 'cancelled',
  TIMEOUT: 'time_limit',
  DEADLINE: 'time_limit',
  OUT_OF_MEMORY: 'out_of_memory',
  NODE_FAIL: 'node_failed',
  BOOT_FAIL: 'node_failed',
  LAUNCH_FAILED: 'node_failed',
  PREEMPTED: 'preempted',
  REVOKED: 'untold',
};

/** A word that a newer Slurm has and this table has not is `unknown`, which nobody acts upon. */
export function launchState(state: string): LaunchState {
  if (WAITING.includes(state)) return 'waiting';
  if (RUNNING.includes(state)) return 'running';
  return Object.hasOwn(ENDED, state) ? 'ended' : 'unknown';
}

export function launchExit({ state, exitCode }: SlurmJobRecord): LaunchExit | null {
  const cause = ENDED[state];
  if (cause === undefined) return null;
  const found = /^(\d+):(\d+)$/.exec(exitCode ?? '');
  if (!found) return { cause: cause === 'exit' && state !== 'COMPLETED' ? 'untold' : cause, code: null, signal: null };
  const [code, signal] = [Number(found[1]), Number(found[2])];
  return { cause, code: signal > 0 ? null : code, signal: signal > 0 ? signal : null };
}

/** Of several jobs of one token the one that counts: what lives before what has ended, then the later one. */
export function chooseJob(jobs: readonly SlurmJobRecord[]): SlurmJobRecord | undefined {
  const rank = ({ state }: SlurmJobRecord) => ({ running: 3, waiting: 2, unknown: 1, ended: 0 })[launchState(state)];
  return [...jobs].sort((a, b) => rank(b) - rank(a) || Number.parseInt(b.jobId, 10) - Number.parseInt(a.jobId, 10))[0];
}
