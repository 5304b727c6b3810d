/** Lines of different lengths and places on one common x, as uPlot wants them. */
import uPlot from 'uplot';

export interface ChartLine {
  id: string;
  x: readonly number[];
  y: readonly (number | null)[];
  /** Index into the palette. */
  color: number;
  /** faint: the raw values behind a smoothed line. */
  look?: 'plain' | 'faint';
  /** A shaded area around the line, on the same x. */
  band?: { low: readonly (number | null)[]; high: readonly (number | null)[] };
  isDimmed?: boolean;
}

/** Columns of one line: its y, then, when it has a band, high and low. */
const columnsOf = (line: ChartLine) => (line.band ? [line.y, line.band.high, line.band.low] : [line.y]);

/** @returns x first, then every line's columns in order; where a line has no point, undefined (drawn across) */
export function alignLines(lines: readonly ChartLine[]): uPlot.AlignedData {
  const [first] = lines;
  if (!first) return [[]];
  if (lines.every((line) => line.x === first.x))
    return [first.x, ...lines.flatMap(columnsOf)] as unknown as uPlot.AlignedData;
  return uPlot.join(lines.map((line) => [line.x, ...columnsOf(line)] as unknown as uPlot.AlignedData));
}

/**
 * The place nearest to `index` where the column has a value, so that a reading under the cursor is never empty only
 * because another line has a point there.
 */
export function nearestWithValue(column: ArrayLike<number | null | undefined>, index: number): number | null {
  for (let away = 0; away < column.length; away++) {
    const before = column[index - away];
    if (before !== null && before !== undefined) return index - away;
    const after = column[index + away];
    if (after !== null && after !== undefined) return index + away;
  }
  return null;
}
