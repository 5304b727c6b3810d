/** The geometry of a line: strokes, areas and marks at the edge, for whoever draws them. */

import type { ChartLine } from './chart-line.ts';
import { type Frame, placeX, placeY } from './frame.ts';
import { firstAtOrAfter } from './y-range.ts';

/** What a pen does; a canvas's context is one. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/** Indices that can be seen, and one more on either side so that lines reach the edge. */
function visible({ x }: Pick<ChartLine, 'x'>, { x: { min, max } }: Frame): { begin: number; end: number } {
  const begin = Math.max(0, firstAtOrAfter(x, min) - 1);
  let end = firstAtOrAfter(x, max);
  while (end < x.length && (x[end] as number) <= max) end++;
  return { begin, end: Math.min(x.length, end + 1) };
}

const canBeDrawn = (value: number | null | undefined, isLog: boolean): value is number =>
  value !== null && value !== undefined && Number.isFinite(value) && (!isLog || value > 0);

/**
 * The line as strokes. Where a place stands for several points the stroke goes over the first, the lowest, the highest and the last of
 * them, so that no spike is lost.
 * @param part of a mean: where all curves are there, or where some of them have ended
 */
export function traceLine(pen: Pen, line: ChartLine, frame: Frame, part: 'all' | 'whole' | 'fewer' = 'all'): void {
  const { begin, end } = visible(line, frame);
  const px = placeX(frame);
  const py = placeY(frame);
  const { x, y, extent, n, most } = line;
  let isDown = false;
  const isWhole = (i: number) => n === undefined || n[i] === most;
  for (let i = begin; i < end; i++) {
    const value = y[i];
    if (!canBeDrawn(value, frame.isLog)) {
      isDown = false;
      continue;
    }
    const at = px(x[i] as number);
    const isHere = part === 'all' || (part === 'whole') === (isWhole(i) && isWhole(i - 1));
    if (!isDown || !isHere) pen.moveTo(at, py(value));
    else if (!extent) pen.lineTo(at, py(value));
    if (extent) traceExtent(pen, extent, i, at, py, frame.isLog, isDown);
    isDown = true;
  }
}

function traceExtent(
  pen: Pen,
  extent: NonNullable<ChartLine['extent']>,
  i: number,
  at: number,
  py: (value: number) => number,
  isLog: boolean,
  isDown: boolean,
): void {
  const [first, last] = [extent.first[i] as number, extent.last[i] as number];
  const [low, high] = [extent.min[i] as number, extent.max[i] as number];
  // Which of the two came first is not known; less ink is the better guess.
  const values = last >= first ? [first, low, high, last] : [first, high, low, last];
  let begun = isDown;
  for (const value of values) {
    if (!canBeDrawn(value, isLog)) continue;
    if (begun) pen.lineTo(at, py(value));
    else pen.moveTo(at, py(value));
    begun = true;
  }
}

/** The band's outline, one closed shape for each stretch without a gap. */
export function traceBand(line: ChartLine, frame: Frame): [number, number][][] {
  const { band, x } = line;
  if (!band) return [];
  const { begin, end } = visible(line, frame);
  const px = placeX(frame);
  const py = placeY(frame);
  const floor = frame.y.min;
  const shapes: [number, number][][] = [];
  let upper: [number, number][] = [];
  let lower: [number, number][] = [];
  const close = () => {
    if (upper.length > 1) shapes.push([...upper, ...lower.reverse()]);
    upper = [];
    lower = [];
  };
  for (let i = begin; i < end; i++) {
    const [low, high] = [band.low[i], band.high[i]];
    if (!canBeDrawn(high, frame.isLog) || low === null || low === undefined || !Number.isFinite(low)) {
      close();
      continue;
    }
    const at = px(x[i] as number);
    upper.push([at, py(high)]);
    // What of it is at or below 0 has no place on a log scale; the rest has.
    lower.push([at, py(frame.isLog && low <= 0 ? floor : low)]);
  }
  close();
  return shapes;
}

export type MarkKind = 'nan' | 'above' | 'below';
export interface EdgeMark {
  x: number;
  kind: MarkKind;
}
/** NaN and infinities, at most one of a kind for each three units of the drawing. */
export function edgeMarks(line: ChartLine, frame: Frame): EdgeMark[] {
  const { begin, end } = visible(line, frame);
  const px = placeX(frame);
  const marks: EdgeMark[] = [];
  const taken = new Set<string>();
  const add = (at: number, kind: MarkKind) => {
    const key = `${Math.round(at / 3)} ${kind}`;
    if (at < frame.left || at > frame.left + frame.width || taken.has(key)) return;
    taken.add(key);
    marks.push({ x: at, kind });
  };
  for (let i = begin; i < end; i++) {
    const value = line.y[i];
    const at = px(line.x[i] as number);
    const { extent } = line;
    if (value === Number.POSITIVE_INFINITY || extent?.max[i] === Number.POSITIVE_INFINITY) add(at, 'above');
    if (value === Number.NEGATIVE_INFINITY || extent?.min[i] === Number.NEGATIVE_INFINITY) add(at, 'below');
    const isNan = (other: number | null | undefined) => other !== null && other !== undefined && Number.isNaN(other);
    if (isNan(value) || isNan(extent?.first[i]) || isNan(extent?.last[i])) add(at, 'nan');
  }
  return marks;
}
