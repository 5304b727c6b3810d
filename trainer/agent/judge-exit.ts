/** From how a trainer's process ended to how its attempt ended. */
import { TRAINER_EXIT } from '@mealtable/protocol/records';
import type { TrainerFailure } from '../train/job.ts';
import type { MemoryKill, StopCause, Verdict } from './attempt-dir.ts';

/** What is known of a process that is gone. Where nothing owned it, an adopted one's exit is known by its own word alone. */
export type TrainerExit =
  | { seen: true; exitCode: number | null; signal: string | null; memory: MemoryKill | null }
  /** `rebooted`: the machine was started again meanwhile. */
  | { seen: false; exitCode: number | null; rebooted: boolean };

export interface Evidence {
  exit: TrainerExit;
  /** Why the agent stopped it, if it did. */
  stop: StopCause | null;
  /** What the trainer itself said. */
  failure: TrainerFailure | null;
}

export function judgeExit({ exit, stop, failure }: Evidence): Verdict {
  const { exitCode } = exit;
  const signal = exit.seen ? exit.signal : null;
  const end = (
    outcome: Verdict['outcome'],
    failureCode: Verdict['failureCode'] = null,
    message: string | null = null,
  ) => ({
    outcome,
    failureCode,
    message,
    exitCode,
    signal,
  });
  // A trainer that was done before it noticed the stop is done.
  if (exitCode === TRAINER_EXIT.succeeded) return end('succeeded');
  if (stop?.kind === 'cancelled') return end('cancelled');
  if (stop?.kind === 'refused') return end('refused', null, stop.message);
  if (stop?.kind === 'failed') return end('failed', stop.failureCode, stop.message);
  if (stop?.kind === 'stalled')
    return end(
      'failed',
      'stalled',
      `The trainer wrote nothing for ${Math.round(stop.afterMs / 1000)} s and was stopped.`,
    );
  if (exitCode === TRAINER_EXIT.interrupted) return end('interrupted');
  if (failure) return end('failed', failure.failureCode, failure.message);
  // Stopped with the agent or paused, before it could save a checkpoint: the run goes on from the one before.
  if (stop?.kind === 'shutdown' || stop?.kind === 'paused') return end('interrupted');
  if (exit.seen && exit.memory === 'group') return end('failed', 'out_of_memory', OUT_OF_MEMORY);
  if (exit.seen && signal !== null) return end('failed', 'trainer_killed', explainSignal(signal, exit.memory));
  if (exitCode !== null)
    return end(
      'failed',
      'trainer_error',
      `The trainer ended with exit code ${exitCode}; its last output is in the log.`,
    );
  // Not `lost`, which is the hub's word for an attempt that may still come back.
  if (!exit.seen && exit.rebooted)
    return end('failed', 'host_lost', 'The host was restarted during this attempt, and its trainer ended with it.');
  return end(
    'failed',
    'trainer_killed',
    'The trainer ended while no agent was running, and left no word of how: it was killed.',
  );
}

const OUT_OF_MEMORY =
  'The kernel ended the trainer because its memory ran out: use a smaller batch, fewer runs at a time (--slots), or a host with more memory.';

function explainSignal(signal: string, memory: MemoryKill | null): string {
  const killed = `The trainer was ended by ${signal}, which the agent did not send`;
  if (signal !== 'SIGKILL') return `${killed}.`;
  if (memory === 'host')
    return `${killed}. It looks as if the host ran out of memory: the kernel ended a process for that in those seconds.`;
  if (memory === 'none') return `${killed}. The kernel ended nothing for lack of memory in those seconds.`;
  return `${killed}; a host out of memory is the usual cause.`;
}
