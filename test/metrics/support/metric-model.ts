/** What is expected of stored metrics, reckoned from the records themselves in the plainest way. */
import type { ChartSeries, MetricSummary } from '@mealtable/protocol/chart-data';
import type { MetricsRecord } from '@mealtable/protocol/records';
import { toWireNumber } from '@mealtable/protocol/wire-number';
import { expect } from 'vitest';

export interface ModelRecord extends Omit<MetricsRecord, 'kind'> {
  attempt: number;
}

export const plainRecord = ({ attempt, seq, step, epoch, at, values }: ModelRecord) => ({
  ...{ attempt, seq, step, epoch, at, values },
});

const pointsOf = (records: readonly ModelRecord[], metric: string) =>
  records.flatMap(({ step, epoch, values }) =>
    values[metric] === undefined ? [] : [{ step, epoch, value: Number(values[metric]) }],
  );

/** @param records by attempt and number */
export function summaryOf(records: readonly ModelRecord[], metric: string): MetricSummary {
  const points = pointsOf(records, metric);
  const last = points.at(-1)!;
  const numbers = points.filter(({ value }) => !Number.isNaN(value));
  const best = (sign: number) =>
    numbers.toSorted((a, b) => (a.value === b.value ? a.step - b.step : a.value < b.value ? -sign : sign))[0];
  const [min, max] = [best(1), best(-1)];
  return {
    ...{ name: metric, points: points.length },
    ...{ last: toWireNumber(last.value), lastStep: last.step, lastEpoch: last.epoch },
    ...{ min: min ? toWireNumber(min.value) : null, minStep: min?.step ?? null, minEpoch: min?.epoch ?? null },
    ...{ max: max ? toWireNumber(max.value) : null, maxStep: max?.step ?? null, maxEpoch: max?.epoch ?? null },
  };
}

/** Fails unless the series shows the points of these steps as a chart may: all of them, or buckets that keep every extreme. */
export function expectChart(
  series: ChartSeries | undefined,
  records: readonly ModelRecord[],
  metric: string,
  { from, to, buckets }: { from: number; to: number; buckets: number },
): void {
  const points = pointsOf(records, metric).filter(({ step }) => step >= from && step <= to);
  const sorted = points.map((point, i) => ({ ...point, i })).sort((a, b) => a.step - b.step || a.i - b.i);
  if (sorted.length === 0) {
    expect(series).toBeUndefined();
    return;
  }
  expect(series!.points).toBe(sorted.length);
  expect(series!.isRaw).toBe(sorted.length <= buckets);
  if (series!.isRaw) {
    expect(series!.step).toEqual(sorted.map(({ step }) => step));
    expect(series!.epoch).toEqual(sorted.map(({ epoch }) => epoch));
    expect(series!.value).toEqual(sorted.map(({ value }) => toWireNumber(value)));
    return;
  }
  const { step, min, max, last, count } = series!;
  // One more where the first bucket is cut by the range.
  expect(step.length).toBeLessThanOrEqual(buckets + 1);
  expect(step).toEqual(step.toSorted((a, b) => a - b));
  expect(count.reduce((sum, each) => sum + each, 0)).toBe(sorted.length);
  const extreme = (values: readonly number[], pick: (...all: number[]) => number) =>
    pick(...values.filter((value) => !Number.isNaN(value)));
  const all = sorted.map(({ value }) => value);
  expect(extreme(min.map(Number), Math.min)).toBe(extreme(all, Math.min));
  expect(extreme(max.map(Number), Math.max)).toBe(extreme(all, Math.max));
  expect([step.at(-1), last.at(-1)]).toEqual([sorted.at(-1)!.step, toWireNumber(all.at(-1)!)]);
  expect([series!.firstStep[0], series!.first[0]]).toEqual([sorted[0]!.step, toWireNumber(all[0]!)]);
}
