import { FAILURE_CODES, RETRYABLE_FAILURES } from '@mealtable/protocol/statuses';
import { describe, expect, test } from 'vitest';
import { type AttemptEnding, judgeEnding } from '../../server/runs/judge-ending.ts';

const run = { attempt: 2, maxAttempts: 5, cancelRequested: false, pauseRequested: false, wantsMore: false };
const ending = (more: Partial<AttemptEnding>): AttemptEnding => ({
  outcome: 'failed',
  failureCode: null,
  message: 'Why.',
  exitCode: 1,
  signal: null,
  ...more,
});

describe('what becomes of a run when its attempt ends', () => {
  test('success succeeds, even when a cancel was on its way', () => {
    for (const cancelRequested of [false, true])
      expect(judgeEnding({ ...run, cancelRequested }, ending({ outcome: 'succeeded' })).status).toBe('succeeded');
  });

  test.each(FAILURE_CODES)('%s: queued again exactly if another attempt may cure it', (failureCode) => {
    const verdict = judgeEnding(run, ending({ failureCode }));
    if (RETRYABLE_FAILURES.has(failureCode))
      expect(verdict).toMatchObject({ status: 'queued', failureCode: null, maxAttempts: 5 });
    else expect(verdict).toMatchObject({ status: 'failed', failureCode, failureMessage: 'Why.' });
    expect(verdict.attemptFailure).toBe(failureCode);
  });

  test('the last allowed attempt exhausts them; the attempt itself keeps its own failure', () => {
    const verdict = judgeEnding({ ...run, attempt: 5 }, ending({ failureCode: 'trainer_killed' }));
    expect(verdict).toMatchObject({
      status: 'failed',
      failureCode: 'attempts_exhausted',
      failureMessage: 'Attempt 5 was the last one allowed. Why.',
      attemptFailure: 'trainer_killed',
    });
  });

  test('an interruption is no failure and uses nothing of the allowance, not even of the last attempt', () => {
    const verdict = judgeEnding({ ...run, attempt: 5 }, ending({ outcome: 'interrupted' }));
    expect(verdict).toMatchObject({ status: 'queued', maxAttempts: 6, failureCode: null, attemptFailure: null });
  });

  test('whatever ends after a cancel is cancelled: failed, lost or interrupted', () => {
    for (const outcome of ['failed', 'lost', 'interrupted', 'cancelled'] as const)
      expect(judgeEnding({ ...run, cancelRequested: true }, ending({ outcome })).status).toBe('cancelled');
  });

  test('a lost attempt is a host that was lost; a failure without a code is the trainer’s', () => {
    expect(judgeEnding(run, ending({ outcome: 'lost' }))).toMatchObject({
      status: 'queued',
      attemptFailure: 'host_lost',
    });
    expect(judgeEnding(run, ending({}))).toMatchObject({ status: 'failed', failureCode: 'trainer_error' });
  });

  test('what a pause was asked for is held in the queue wherever it would go back there, and nowhere else', () => {
    const paused = { ...run, pauseRequested: true };
    for (const back of [
      ending({ outcome: 'interrupted' }),
      ending({ outcome: 'lost' }),
      ending({ failureCode: 'stalled' }),
    ])
      expect(judgeEnding(paused, back)).toMatchObject({ status: 'queued', paused: true });
    expect(judgeEnding(paused, ending({ outcome: 'succeeded' }))).toMatchObject({ status: 'succeeded', paused: false });
    expect(judgeEnding(paused, ending({ failureCode: 'diverged' }))).toMatchObject({ status: 'failed', paused: false });
    expect(judgeEnding({ ...paused, cancelRequested: true }, ending({ outcome: 'interrupted' }))).toMatchObject({
      status: 'cancelled',
      paused: false,
    });
  });

  test('a run that was given more epochs meanwhile goes on after its success, at no cost, unless it was cancelled', () => {
    const longer = { ...run, wantsMore: true };
    const succeeded = ending({ outcome: 'succeeded' });
    expect(judgeEnding(longer, succeeded)).toMatchObject({ status: 'queued', maxAttempts: 6, paused: false });
    expect(judgeEnding({ ...longer, pauseRequested: true }, succeeded)).toMatchObject({ paused: true });
    expect(judgeEnding({ ...longer, cancelRequested: true }, succeeded).status).toBe('cancelled');
  });
});
