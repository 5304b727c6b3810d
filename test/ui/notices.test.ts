import { describeEvent, EVENT_KINDS, type EventDetail, type EventView, pathOfEvent } from '@mealtable/protocol/events';
import { describe, expect, test, vi } from 'vitest';
import { isLookingAt, isWanted } from '../../components/notify/browser-notice.ts';
import { parseSettings } from '../../components/notify/notify-settings.ts';

const event = (detail: EventDetail, more: Partial<EventView> = {}): EventView =>
  ({ id: 1, at: 0, studyId: 'stu_1', studyName: 'S', runId: null, hostId: null, ...detail, ...more }) as EventView;
const run = { label: 'one teacher', seed: 3 };
const failed = event({ kind: 'run-failed', code: 'diverged', message: 'NaN.', ...run }, { runId: 'run_1' });
const lost = event(
  { kind: 'host-lost', host: 'alpha', runs: 2, reason: 'Silent.' },
  { studyId: null, hostId: 'hst_1' },
);
const tab = { path: '/', isVisible: true, studyId: null };

describe('a notification of the browser', () => {
  test('is not shown by a tab that looks at the study, a run of it, or the hosts', () => {
    expect(isLookingAt(failed, { ...tab, path: '/studies/stu_1' })).toBe(true);
    expect(isLookingAt(failed, { ...tab, path: '/runs/run_1' })).toBe(true);
    expect(isLookingAt(failed, { ...tab, path: '/runs/run_2', studyId: 'stu_1' })).toBe(true);
    expect(isLookingAt(lost, { ...tab, path: '/hosts' })).toBe(true);
  });

  test('is shown by all others, also by one that is hidden', () => {
    expect(isLookingAt(failed, { ...tab, path: '/studies/stu_1', isVisible: false })).toBe(false);
    expect(isLookingAt(failed, { ...tab, path: '/studies/stu_2' })).toBe(false);
    expect(isLookingAt(failed, { ...tab, path: '/runs/run_2', studyId: 'stu_2' })).toBe(false);
    expect(isLookingAt(failed, tab)).toBe(false);
    expect(isLookingAt(lost, { ...tab, path: '/studies/stu_1' })).toBe(false);
  });

  test('is only of a kind that was switched on', () => {
    expect(isWanted(failed, ['study-finished'])).toBe(false);
    expect(isWanted(failed, ['study-finished', 'run-failed'])).toBe(true);
  });
});

test('what a browser keeps is read with care: whatever stands there, the rest are defaults', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const defaults = { seenId: null, kinds: [] };
  expect(parseSettings(null)).toEqual(defaults);
  for (const text of ['', '{', 'null', '[]', '{"seenId":"1","kinds":"run-failed"}'])
    expect(parseSettings(text)).toEqual(defaults);
  expect(parseSettings('{"seenId":7,"kinds":["run-failed","no kind","test"]}')).toEqual({
    seenId: 7,
    kinds: ['run-failed'],
  });
  warn.mockRestore();
});

describe('an event', () => {
  test('leads to the page that it is about', () => {
    expect(pathOfEvent(failed)).toBe('/runs/run_1');
    expect(pathOfEvent(event({ kind: 'runs-added', runs: 1 }))).toBe('/studies/stu_1');
    expect(pathOfEvent(lost)).toBe('/hosts');
    expect(pathOfEvent(event({ kind: 'test', label: 'chat' }, { studyId: null }))).toBeNull();
  });

  test.each<[EventDetail, string]>([
    [{ kind: 'run-failed', code: 'stalled', message: null, ...run }, '"one teacher" (seed 3) failed (stalled).'],
    [
      { kind: 'dependents-failed', runs: 1, fate: 'cancelled', ...run },
      '1 run failed, because "one teacher" (seed 3), which it needs, was cancelled.',
    ],
    [
      { kind: 'dependents-failed', runs: 1_200, fate: 'failed', ...run },
      '1,200 runs failed, because "one teacher" (seed 3), which they need, failed.',
    ],
    [{ kind: 'runs-cancelled', runs: 1, ...run }, '"one teacher" (seed 3) was cancelled.'],
    [{ kind: 'runs-cancelled', runs: 9, ...run }, '9 runs were cancelled.'],
    [{ kind: 'run-retried', others: 0, ...run }, '"one teacher" (seed 3) was queued again.'],
    [
      { kind: 'run-retried', others: 2, ...run },
      '"one teacher" (seed 3) was queued again, and with it 2 runs that need it.',
    ],
    [
      { kind: 'study-finished', succeeded: 1, failed: 0, cancelled: 0, bestTop1: null, bestLabel: null },
      'Its one run has ended: 1 succeeded.',
    ],
    [
      { kind: 'study-finished', succeeded: 2, failed: 1, cancelled: 3, bestTop1: 80.666, bestLabel: 'A' },
      'All 6 runs have ended: 2 succeeded, 1 failed, 3 cancelled. Best top-1: 80.67 % ("A").',
    ],
  ])('is said in plain words: %j', (detail, sentence) => expect(describeEvent(detail)).toBe(sentence));

  test('never says a whole stack trace', () => {
    const sentence = describeEvent({ kind: 'run-failed', code: 'trainer_error', message: 'x'.repeat(5_000), ...run });
    expect(sentence.length).toBeLessThan(400);
  });

  test.each(Object.entries(EVENT_KINDS))('%s has a name and one sentence', (_kind, { name, says }) => {
    expect(name).toMatch(/^[A-Z]/);
    expect(says).toMatch(/^[A-Z].+\.$/);
  });
});
