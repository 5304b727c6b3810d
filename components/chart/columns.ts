/** What is known of one metric of one run, as a chart reads it: buckets of the past, finer ones where it is zoomed, live points on top. */
import type { ChartSeries } from '@mealtable/protocol/chart-data';
import { fromWireNumber } from '@mealtable/protocol/wire-number';

/** Of the same length, by step. An entry of a single point has count 1 and its value in all five columns of values. */
export interface Columns {
  step: number[];
  epoch: number[];
  /** Milliseconds since 1970. */
  at: number[];
  value: number[];
  min: number[];
  max: number[];
  first: number[];
  last: number[];
  /** Points of the entry. */
  count: number[];
  /** All entries are single points. */
  isRaw: boolean;
}
/** A series that was read, with numbers instead of their spelling on the wire. */
export interface HeldSeries extends Columns {
  firstStep: number[];
}
export interface LivePoint {
  step: number;
  epoch: number;
  at: number;
  value: number;
}
export interface Range {
  from: number;
  to: number;
}

const emptyColumns = (): Columns => ({
  ...{ step: [], epoch: [], at: [], value: [], min: [], max: [], first: [], last: [], count: [], isRaw: true },
});
const NAMES = ['step', 'epoch', 'at', 'value', 'min', 'max', 'first', 'last', 'count'] as const;

export function toHeldSeries(series: ChartSeries): HeldSeries {
  const { step, epoch, at, isRaw } = series;
  const value = series.value.map(fromWireNumber);
  if (isRaw) {
    const count = step.map(() => 1);
    return { step, epoch, at, value, min: value, max: value, first: value, last: value, count, firstStep: step, isRaw };
  }
  return {
    ...{ step, epoch, at, value, isRaw, count: series.count, firstStep: series.firstStep },
    ...{ min: series.min.map(fromWireNumber), max: series.max.map(fromWireNumber) },
    ...{ first: series.first.map(fromWireNumber), last: series.last.map(fromWireNumber) },
  };
}

/** Without what lies beyond the step; `cut` says that a bucket reached across it, so that points before it went as well. */
export function cutAfter(series: HeldSeries, step: number): { series: HeldSeries; cut: boolean } {
  const end = series.step.findIndex((last) => last > step);
  if (end === -1) return { series, cut: false };
  const kept = { ...series, firstStep: series.firstStep.slice(0, end) };
  for (const name of NAMES) kept[name] = series[name].slice(0, end);
  return { series: kept, cut: (series.firstStep[end] ?? 0) <= step };
}

/**
 * @param detail what was read of a range of steps; it stands in the place of what `base` has there
 * @param live newer than both
 */
export function mergeColumns(
  base: HeldSeries | null,
  detail: { range: Range; series: HeldSeries | null } | null,
  live: readonly LivePoint[],
): Columns {
  if (!detail && live.length === 0 && base) return base;
  const merged = emptyColumns();
  const add = (series: HeldSeries | null, keeps: (i: number, series: HeldSeries) => boolean) => {
    if (!series) return;
    for (let i = 0; i < series.step.length; i++) {
      if (!keeps(i, series)) continue;
      for (const name of NAMES) merged[name].push(series[name][i] as number);
      if (series.count[i] !== 1) merged.isRaw = false;
    }
  };
  if (detail) {
    const { from, to } = detail.range;
    add(base, (i, { step }) => (step[i] as number) < from);
    add(detail.series, () => true);
    add(base, (i, { firstStep }) => (firstStep[i] as number) > to);
  } else add(base, () => true);
  for (const { step, epoch, at, value } of live) {
    for (const name of ['value', 'min', 'max', 'first', 'last'] as const) merged[name].push(value);
    merged.step.push(step);
    merged.epoch.push(epoch);
    merged.at.push(at);
    merged.count.push(1);
  }
  return sorted(merged);
}

/** Late points of an earlier attempt may come after those of the next one. */
function sorted(columns: Columns): Columns {
  const { step } = columns;
  if (step.every((at, i) => i === 0 || at >= (step[i - 1] as number))) return columns;
  const order = step.map((_, i) => i).sort((a, b) => (step[a] as number) - (step[b] as number));
  const result = { ...columns };
  for (const name of NAMES) result[name] = order.map((i) => columns[name][i] as number);
  return result;
}

export const pointsOf = (columns: Columns): number => columns.count.reduce((sum, count) => sum + count, 0);
