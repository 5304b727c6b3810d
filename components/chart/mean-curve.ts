/** Mean and spread over the curves of a group, place by place, with how many there are at each. */
import { criticalT } from '@mealtable/protocol/statistics/student-t';

export const BANDS = ['none', 'std', 'stderr', 'ci95', 'minmax'] as const;
export type BandKind = (typeof BANDS)[number];
export const BAND_WORDS: Record<BandKind, string> = {
  none: 'No band',
  std: '± std',
  stderr: '± std. error',
  ci95: '95 % CI',
  minmax: 'Min to max',
};

export interface Curve {
  /** Never falling. */
  x: readonly number[];
  y: readonly (number | null)[];
}
export interface MeanCurve {
  x: number[];
  mean: number[];
  /** The band's edges: the mean itself where there is no spread to show, as with a single curve. */
  low: number[];
  high: number[];
  /** Curves that the mean is of, at each place. */
  n: number[];
  /** The most that it is of anywhere. */
  most: number;
}

/** More places than this are not told apart on any screen. */
const MAX_PLACES = 1_500;

/** Student's t for a 95 % interval, by degrees of freedom; each is asked for at every place of every curve. */
const criticals = new Map<number, number>();
function critical95(df: number): number {
  const known = criticals.get(df);
  if (known !== undefined) return known;
  const value = criticalT(0.95, df);
  criticals.set(df, value);
  return value;
}

/** @returns half of the band's height around the mean; sample standard deviation (n - 1) as everywhere in Mealtable */
function halfBand(kind: BandKind, std: number, n: number): number {
  if (n < 2 || kind === 'none') return 0;
  if (kind === 'std') return std;
  return (std / Math.sqrt(n)) * (kind === 'ci95' ? critical95(n - 1) : 1);
}

/**
 * Between two neighbouring points a curve is the straight line; before its first, after its last and beside a value that is not
 * finite it is not there. So a mean where curves end at different places goes on with fewer of them, and `n` says so.
 */
export function meanCurve(curves: readonly Curve[], band: BandKind): MeanCurve {
  const places = placesOfAll(curves);
  const readers = curves.map(readerOf);
  const result: MeanCurve = { x: [], mean: [], low: [], high: [], n: [], most: 0 };
  for (const x of places) {
    let n = 0;
    let mean = 0;
    let squares = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const read of readers) {
      const y = read(x);
      if (y === null) continue;
      // Welford's update: no cancellation for values far from 0.
      n++;
      const before = y - mean;
      mean += before / n;
      squares += before * (y - mean);
      if (y < min) min = y;
      if (y > max) max = y;
    }
    if (n === 0) continue;
    const half = halfBand(band, n > 1 ? Math.sqrt(squares / (n - 1)) : 0, n);
    result.x.push(x);
    result.mean.push(mean);
    result.low.push(band === 'minmax' ? min : mean - half);
    result.high.push(band === 'minmax' ? max : mean + half);
    result.n.push(n);
    if (n > result.most) result.most = n;
  }
  return result;
}

/** All places where a curve has a point, each once and rising; evenly spread ones where those would be too many. */
function placesOfAll(curves: readonly Curve[]): readonly number[] {
  const [first] = curves;
  if (!first) return [];
  const alike = curves.every(
    ({ x }) => x === first.x || (x.length === first.x.length && x.every((at, i) => at === first.x[i])),
  );
  const all = alike ? new Set(first.x) : new Set(curves.flatMap(({ x }) => x as number[]));
  const sorted = [...all].sort((a, b) => a - b);
  if (sorted.length <= MAX_PLACES) return sorted;
  const low = sorted[0] as number;
  const step = ((sorted.at(-1) as number) - low) / (MAX_PLACES - 1);
  return Array.from({ length: MAX_PLACES }, (_, i) =>
    i === MAX_PLACES - 1 ? (sorted.at(-1) as number) : low + i * step,
  );
}

/** @returns the curve's value at a place; places must be asked for in rising order */
function readerOf({ x, y }: Curve): (place: number) => number | null {
  let i = 0;
  const valueAt = (at: number): number | null => {
    const value = y[at];
    return value === null || value === undefined || !Number.isFinite(value) ? null : value;
  };
  return (place) => {
    // The last point at or before the place.
    while (i + 1 < x.length && (x[i + 1] as number) <= place) i++;
    const here = x[i];
    if (here === undefined || place < here) return null;
    const left = valueAt(i);
    if (here === place || left === null) return left;
    const next = x[i + 1];
    if (next === undefined) return null;
    const right = valueAt(i + 1);
    return right === null ? null : left + ((right - left) * (place - here)) / (next - here);
  };
}
