/** From how a trainer's process ended to how its attempt ended. */
import { TRAINER_EXIT } from '@mealtable/protocol/records';
import type { TrainerFailure } from '../train/job.ts';
import type { StopCause, Verdict } from './attempt-dir.ts';

/** What is known of a process that is gone. An adopted one's exit is seen by nobody but itself. */
export type TrainerExit =
  | { seen: true; exitCode: number | null; signal: string | null }
  | { seen: false; exitCode: number | null };

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
  if (stop?.kind === 'failed') return end('failed', stop.failureCode, stop.message);
  if (stop?.kind === 'stalled')
    return end(
      'failed',
      'stalled',
      `The trainer wrote nothing for ${Math.round(stop.afterMs / 1000)} s and was stopped.`,
    );
  if (exitCode === TRAINER_EXIT.interrupted) return end('interrupted');
  if (failure) return end('failed', failure.failureCode, failure.message);
  // Stopped with the agent, before it could save a checkpoint: the run goes on from the one before.
  if (stop?.kind === 'shutdown') return end('interrupted');
  if (signal !== null)
    return end(
      'failed',
      'trainer_killed',
      `The trainer was ended by ${signal}, which the agent did not send; a host out of memory is the usual cause.`,
    );
  if (exitCode !== null)
    return end(
      'failed',
      'trainer_error',
      `The trainer ended with exit code ${exitCode}; its last output is in the log.`,
    );
  return end(
    'failed',
    'trainer_killed',
    'The trainer ended while no agent was running, and left no word of how: it was killed, or the host restarted.',
  );
}
