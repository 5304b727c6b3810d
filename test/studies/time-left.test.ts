import { describe, expect, test } from 'vitest';
import { estimateTimeLeft, type PacedRun } from '../../server/studies/time-left.ts';

const NOW = 1_000_000;
let n = 0;
/** A queued run of 10 epochs of 10 steps. */
const run = (more: Partial<PacedRun> = {}): PacedRun => ({
  id: `r${++n}`,
  variantId: 'v',
  kind: 'student',
  status: 'queued',
  isPaused: false,
  stepsCompleted: 0,
  stepsPerEpoch: null,
  epochs: 10,
  startedAt: null,
  endedAt: null,
  startStep: 0,
  needs: [],
  ...more,
});
/** Half through, 100 ms a step: 5 s are left. */
const running = (more: Partial<PacedRun> = {}) =>
  run({ status: 'running', stepsCompleted: 50, stepsPerEpoch: 10, startedAt: NOW - 5_000, ...more });
const left = (runs: PacedRun[], ahead = 0) => estimateTimeLeft(runs, ahead, NOW);

describe('estimateTimeLeft', () => {
  test('is done when every run has ended', () => {
    expect(left([run({ status: 'succeeded' }), run({ status: 'cancelled' })])).toEqual({ kind: 'done' });
    expect(left([])).toEqual({ kind: 'done' });
  });

  test('takes a run that trains at the pace of its newest attempt', () => {
    expect(left([running()])).toEqual({ kind: 'estimate', ms: 5_000, atLeast: [], runs: 1, atOnce: 1 });
    // It went on from step 40: 10 steps in 5 s.
    expect(left([running({ startStep: 40 })])).toMatchObject({ ms: 25_000 });
  });

  test('lays waiting runs over as many slots as the study has now', () => {
    // 10 s each by the pace of their variant: two after each other on one slot, or beside each other on two.
    expect(left([running(), run(), run()])).toMatchObject({ ms: 25_000, runs: 3, atOnce: 1 });
    expect(left([running(), running(), run(), run()])).toMatchObject({ ms: 15_000, atOnce: 2 });
  });

  test('goes by the same variant first, then by the same kind of run', () => {
    const slow = running({ variantId: 'slow', startedAt: NOW - 10_000 });
    const fast = run({
      variantId: 'fast',
      status: 'succeeded',
      stepsCompleted: 100,
      stepsPerEpoch: 10,
      startedAt: 0,
      endedAt: 1_000,
    });
    // 10 s of the slow one, then 100 steps of 10 ms or of the median of both paces.
    expect(left([slow, fast, run({ variantId: 'fast' })])).toMatchObject({ ms: 11_000 });
    expect(left([slow, fast, run({ variantId: 'new' })])).toMatchObject({ ms: 10_000 + 100 * 105 });
  });

  test('lets a run wait for those that it needs', () => {
    const teacher = running({ id: 'teacher' });
    const idle = running({ stepsCompleted: 99, startStep: 49 });
    // The second slot is free after 0.1 s, but the student needs the teacher's 5 s.
    expect(left([teacher, idle, run({ needs: ['teacher'] })])).toMatchObject({ ms: 15_000 });
    const first = run({ id: 'first' });
    expect(left([idle, running(), run({ needs: ['first'] }), first])).toMatchObject({ ms: 20_100 });
  });

  test('says what it leaves out', () => {
    expect(left([running(), run({ kind: 'other', variantId: 'x' }), run({ isPaused: true })], 4)).toMatchObject({
      ms: 5_000,
      atLeast: [
        { kind: 'unlike', runs: 1 },
        { kind: 'paused', runs: 1 },
        { kind: 'queue', runs: 4 },
      ],
    });
    // Nothing of this study waits, so the queue does not matter to it.
    expect(left([running()], 4)).toMatchObject({ atLeast: [] });
  });

  test('is unknown rather than made up', () => {
    expect(left([run(), run()])).toEqual({ kind: 'unknown', why: 'nothing-runs' });
    expect(left([run({ isPaused: true })])).toEqual({ kind: 'unknown', why: 'paused' });
    expect(left([run({ status: 'claimed' }), run()])).toEqual({ kind: 'unknown', why: 'no-pace' });
    expect(left([running({ stepsCompleted: 0 })])).toEqual({ kind: 'unknown', why: 'no-pace' });
  });
});
