/** What of the y-axis is shown. */
import type { ChartLine } from './chart-line.ts';

export interface YRange {
  min: number;
  max: number;
}
/** Room above and below, as a share of what is shown. */
const PAD = 0.06;
/** With outliers ignored the axis covers this share of the values, from here to as far from the top. */
const OUTLIERS = 0.05;

/** First index whose x is at or beyond the place. @param x never falling */
export function firstAtOrAfter(x: readonly number[], place: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Over all that can be drawn of the lines between two places of the x-axis: infinities and NaN have their marks at the edge, and on a
 * log scale nothing at or below 0 has a place.
 * @param ignoresOutliers leaves out the outer 5 % of the values on either side
 */
export function yRange(
  lines: readonly ChartLine[],
  from: number,
  to: number,
  { isLog, ignoresOutliers }: { isLog: boolean; ignoresOutliers: boolean },
): YRange {
  const values: number[] = [];
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const add = (value: number | null | undefined) => {
    if (value === null || value === undefined || !Number.isFinite(value) || (isLog && value <= 0)) return;
    if (ignoresOutliers) values.push(value);
    if (value < min) min = value;
    if (value > max) max = value;
  };
  for (const { x, y, extent, band } of lines) {
    const begin = firstAtOrAfter(x, from);
    add(valueAt(x, y, from, begin));
    add(valueAt(x, y, to, firstAtOrAfter(x, to)));
    for (let i = begin; i < x.length && (x[i] as number) <= to; i++) {
      add(y[i]);
      if (extent && !ignoresOutliers) {
        add(extent.min[i]);
        add(extent.max[i]);
      }
      if (band && !ignoresOutliers) {
        add(band.low[i]);
        add(band.high[i]);
      }
    }
  }
  if (ignoresOutliers && values.length > 0) {
    values.sort((a, b) => a - b);
    min = values[Math.floor(OUTLIERS * (values.length - 1))] as number;
    max = values[Math.ceil((1 - OUTLIERS) * (values.length - 1))] as number;
  }
  if (min > max) return isLog ? { min: 0.1, max: 10 } : { min: 0, max: 1 };
  return isLog ? paddedLog(min, max) : padded(min, max);
}

/** Where the line crosses the edge of what is shown; null where it does not. @param after index of the first point at or beyond it */
function valueAt(x: readonly number[], y: readonly (number | null)[], edge: number, after: number): number | null {
  const [left, right] = [y[after - 1], y[after]];
  if (left === null || left === undefined || right === null || right === undefined) return null;
  const [from, to] = [x[after - 1] as number, x[after] as number];
  return to > from ? left + ((right - left) * (edge - from)) / (to - from) : left;
}

function padded(min: number, max: number): YRange {
  const size = max - min || Math.abs(max) * 0.2 || 1;
  return { min: min - size * PAD, max: max + size * PAD };
}

function paddedLog(min: number, max: number): YRange {
  const factor = max > min ? (max / min) ** PAD : 2;
  return { min: min / factor, max: max * factor };
}
