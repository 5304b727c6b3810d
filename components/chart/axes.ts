/** What the x-axis may count, and how a run's points are placed on it. */
import type { Columns, Range } from './columns.ts';
import { firstAtOrAfter } from './y-range.ts';

export const X_AXES = ['step', 'epoch', 'elapsed', 'clock'] as const;
export type XAxis = (typeof X_AXES)[number];
export const X_AXIS_WORDS: Record<XAxis, string> = { step: 'Step', epoch: 'Epoch', elapsed: 'Time', clock: 'Clock' };
/** With its unit, for a figure that stands alone. */
export const X_AXIS_TITLES: Record<XAxis, string> = {
  step: 'Step',
  epoch: 'Epoch',
  elapsed: 'Time since the first point (s)',
  clock: 'Time of day',
};

/**
 * Places of the points; never falling, which the chart needs: hosts' clocks differ, so a later attempt elsewhere may
 * seem to begin before the earlier one ended.
 * @param start milliseconds since 1970 that time counts from; the series' first point unless given
 * @returns steps, epochs, or seconds (since the start, or since 1970)
 */
export function placesOf(series: Pick<Columns, 'step' | 'epoch' | 'at'>, axis: XAxis, start?: number | null): number[] {
  if (axis === 'step') return series.step;
  if (axis === 'epoch') return series.epoch;
  const zero = axis === 'elapsed' ? (start ?? series.at[0] ?? 0) : 0;
  let latest = Number.NEGATIVE_INFINITY;
  return series.at.map((at) => {
    latest = Math.max(latest, (at - zero) / 1000);
    return latest;
  });
}

/** @returns the steps from the point before the first place to the one after the last; null where the series has none there */
export function stepsBetween(columns: Columns, places: readonly number[], from: number, to: number): Range | null {
  const last = columns.step.length - 1;
  const begin = Math.max(0, firstAtOrAfter(places, from) - 1);
  const end = Math.min(last, firstAtOrAfter(places, to));
  if (last < 0 || (places[last] as number) < from || (places[0] as number) > to) return null;
  return { from: columns.step[begin] as number, to: columns.step[end] as number };
}
