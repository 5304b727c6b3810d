/** What becomes of a run when its attempt ends: the rule alone, without the database. */
import {
  type AttemptOutcome,
  type FailureCode,
  RETRYABLE_FAILURES,
  type RunStatus,
} from '@mealtable/protocol/statuses';

export interface AttemptEnding {
  outcome: AttemptOutcome;
  failureCode: FailureCode | null;
  message: string | null;
  exitCode: number | null;
  signal: string | null;
}
export interface EndingRun {
  attempt: number;
  maxAttempts: number;
  cancelRequested: boolean;
  pauseRequested: boolean;
  /** The run was given more epochs than this attempt trained for. */
  wantsMore: boolean;
}
export interface Verdict {
  status: Extract<RunStatus, 'queued' | 'succeeded' | 'failed' | 'cancelled'>;
  failureCode: FailureCode | null;
  failureMessage: string | null;
  maxAttempts: number;
  /** A run that goes back to the queue is paused there. */
  paused: boolean;
  /** The failure that the attempt itself is filed under, whatever becomes of the run. */
  attemptFailure: FailureCode | null;
}

/**
 * An interrupted attempt (its agent was asked to stop) and one that the agent refused use nothing of the allowance:
 * `maxAttempts` grows by one, so the numbers shown stay plain. Failures and losses use it. A run that succeeded before a cancel or a
 * pause reached it succeeded, unless it was given more epochs meanwhile: then it goes on from its last checkpoint.
 */
export function judgeEnding(run: EndingRun, ending: AttemptEnding): Verdict {
  const { outcome } = ending;
  const failed = outcome === 'failed' || outcome === 'lost';
  const attemptFailure = failed ? (ending.failureCode ?? (outcome === 'lost' ? 'host_lost' : 'trainer_error')) : null;
  const unharmed = {
    failureCode: null,
    failureMessage: null,
    maxAttempts: run.maxAttempts,
    paused: false,
    attemptFailure,
  };
  if (outcome === 'succeeded' && !run.wantsMore) return { ...unharmed, status: 'succeeded' };
  if (run.cancelRequested || outcome === 'cancelled') return { ...unharmed, status: 'cancelled' };
  const queued = { ...unharmed, status: 'queued', paused: run.pauseRequested } as const;
  if (attemptFailure === null) return { ...queued, maxAttempts: run.maxAttempts + 1 };
  const retryable = RETRYABLE_FAILURES.has(attemptFailure);
  if (retryable && run.attempt < run.maxAttempts) return queued;
  return {
    ...unharmed,
    status: 'failed',
    failureCode: retryable ? 'attempts_exhausted' : attemptFailure,
    failureMessage: retryable
      ? `Attempt ${run.attempt} was the last one allowed. ${ending.message ?? 'It ended without a message.'}`
      : ending.message,
  };
}
