/** What the x-axis may count, and how a run's points are placed on it. */
import type { MetricSeries } from '../run/metric-buffer.ts';

export const X_AXES = ['step', 'epoch', 'elapsed', 'clock'] as const;
export type XAxis = (typeof X_AXES)[number];
export const X_AXIS_WORDS: Record<XAxis, string> = { step: 'Step', epoch: 'Epoch', elapsed: 'Time', clock: 'Clock' };

/**
 * Places of the points; never falling, which the chart needs: hosts' clocks differ, so a later attempt elsewhere may
 * seem to begin before the earlier one ended.
 * @returns steps, epochs, or seconds (since the first point, or since 1970)
 */
export function placesOf(series: MetricSeries, axis: XAxis): number[] {
  if (axis === 'step') return series.step;
  if (axis === 'epoch') return series.epoch;
  const start = axis === 'elapsed' ? (series.at[0] ?? 0) : 0;
  let latest = Number.NEGATIVE_INFINITY;
  return series.at.map((at) => {
    latest = Math.max(latest, (at - start) / 1000);
    return latest;
  });
}

/** Values for drawing: what cannot be drawn (not finite, or not above 0 on a log scale) is a gap. */
export function drawable(values: readonly (number | null)[], isLog: boolean): (number | null)[] {
  return values.map((value) => (value === null || !Number.isFinite(value) || (isLog && value <= 0) ? null : value));
}
