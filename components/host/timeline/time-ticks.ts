/** Round times for the axis of a timeline. */
import { formatClockTick } from '../../chart/ticks.ts';

const MINUTE = 60_000;
const STEPS = [1, 2, 5, 10, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 7_200, 14_400].map((minutes) => minutes * MINUTE);
const SECOND_STEPS = [1, 5, 10, 30].map((seconds) => seconds * 1000);

/** @param room labels that fit beside one another @param zoneMs what local time is ahead of UTC by */
export function timeTicks(from: number, to: number, room: number, zoneMs: number): { at: number; label: string }[] {
  const steps = [...SECOND_STEPS, ...STEPS];
  const step = steps.find((ms) => (to - from) / ms <= Math.max(1, room)) ?? STEPS.at(-1)!;
  const ticks = [];
  // Round in the time that people read: midnight, not midnight in Greenwich.
  for (let local = Math.ceil((from + zoneMs) / step) * step; local <= to + zoneMs; local += step) {
    const at = local - zoneMs;
    ticks.push({ at, label: formatClockTick(at, step) });
  }
  return ticks;
}
