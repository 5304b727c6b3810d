/** Points of one series, by step, to what a chart draws: themselves, or buckets that keep every extreme. */
import type { ChartSeries } from '@mealtable/protocol/chart-data';
import { toWireNumber } from '@mealtable/protocol/wire-number';

/** Steps of a bucket: 1, 2, 3, 4, 6, 8, 12... Few widths, and buckets that begin at multiples of them, so that those of runs of a study match and a longer run keeps its old ones. */
export function bucketWidth(steps: number, buckets: number): number {
  for (let width = 1; ; width *= 2) {
    if (steps / width <= buckets) return width;
    if (width >= 2 && steps / (1.5 * width) <= buckets) return 1.5 * width;
  }
}

/** Points that follow each other, summed up. `min` and `max` leave out NaN, `sum` all that is not finite. */
export interface Rollup {
  firstStep: number;
  /** Step, epoch and time (ms) of the last point. */
  step: number;
  epoch: number;
  at: number;
  count: number;
  finite: number;
  sum: number;
  /** NaN without any. */
  min: number;
  max: number;
  first: number;
  last: number;
}

export const rollupOf = (step: number, epoch: number, at: number, value: number): Rollup => {
  const finite = Number.isFinite(value);
  return {
    ...{ firstStep: step, step, epoch, at, count: 1, finite: finite ? 1 : 0, sum: finite ? value : 0 },
    ...{ min: value, max: value, first: value, last: value },
  };
};

/** Adds what comes after. */
export function extend(into: Rollup, next: Rollup): void {
  into.step = next.step;
  into.epoch = next.epoch;
  into.at = next.at;
  into.count += next.count;
  into.finite += next.finite;
  into.sum += next.sum;
  // Not Math.min: NaN is no value here.
  if (!(into.min <= next.min) && !Number.isNaN(next.min)) into.min = next.min;
  if (!(into.max >= next.max) && !Number.isNaN(next.max)) into.max = next.max;
  into.last = next.last;
}

type Columns = Omit<ChartSeries, 'runId' | 'metric' | 'isRaw' | 'points'>;

const emptyColumns = (): Columns => ({
  ...{ step: [], epoch: [], at: [], value: [], min: [], max: [], first: [], last: [], firstStep: [], count: [] },
});

/** @param points each of one point, by step */
export function toRawColumns(points: readonly Rollup[]): Columns {
  const columns = emptyColumns();
  for (const { step, epoch, at, last } of points) {
    columns.step.push(step);
    columns.epoch.push(epoch);
    columns.at.push(at);
    columns.value.push(toWireNumber(last));
  }
  return columns;
}

/** @param rollups by step, of any number of points each; one that reaches into the next bucket counts to that */
export function toBuckets(rollups: readonly Rollup[], width: number): Columns {
  const columns = emptyColumns();
  let current: Rollup | null = null;
  const close = () => {
    if (!current) return;
    const { finite, sum } = current;
    for (const name of ['step', 'epoch', 'at', 'firstStep', 'count'] as const) columns[name].push(current[name]);
    for (const name of ['min', 'max', 'first', 'last'] as const) columns[name].push(toWireNumber(current[name]));
    columns.value.push(toWireNumber(finite === 0 ? Number.NaN : sum / finite));
  };
  let end = Number.NEGATIVE_INFINITY;
  for (const rollup of rollups) {
    if (current && rollup.step < end) extend(current, rollup);
    else {
      close();
      current = { ...rollup };
      end = (Math.floor(rollup.step / width) + 1) * width;
    }
  }
  close();
  return columns;
}
