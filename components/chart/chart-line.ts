/** What a chart draws: finished lines with their looks. Nothing here knows of runs or of where the numbers came from. */
export interface ChartLine {
  id: string;
  /** Where the id is no name for people. */
  label?: string;
  /** Never falling. */
  x: readonly number[];
  /** null is a gap; NaN and infinities are gaps with a mark at the edge. */
  y: readonly (number | null)[];
  /** Index into the palette. */
  color: number;
  /** Index into the dashes; by the colour unless given. */
  dash?: number;
  /** faint: what stands behind another line, such as the raw values of a smoothed one. */
  look?: 'plain' | 'faint';
  /** Where a place stands for several points, the extremes among them, which are drawn too. */
  extent?: { min: readonly number[]; max: readonly number[]; first: readonly number[]; last: readonly number[] };
  /** A shaded area around the line. */
  band?: { low: readonly (number | null)[]; high: readonly (number | null)[] };
  /** Of a mean, how many curves are behind each place; dotted where they are fewer than `most`. */
  n?: readonly number[];
  most?: number;
  isDimmed?: boolean;
}

/** Faint lines are read with the line that they stand behind. */
export const isRead = (line: ChartLine): boolean => line.look !== 'faint';

/**
 * The place nearest to x where the line has a value, so that a reading under the cursor is never empty only because another line has
 * a point there.
 */
export function nearestPlace({ x, y }: Pick<ChartLine, 'x' | 'y'>, place: number): number | null {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  let before = low - 1;
  let after = low;
  while (before >= 0 && y[before] == null) before--;
  while (after < x.length && y[after] == null) after++;
  if (before < 0) return after < x.length ? after : null;
  if (after >= x.length) return before;
  return place - (x[before] as number) <= (x[after] as number) - place ? before : after;
}
