/** The paired t test: what differences of runs that have all else in common say about their mean. */
import type { PairedDifference } from '../views.ts';
import { meanOf, sampleStdOf } from './moments.ts';
import { criticalT, twoSidedP } from './student-t.ts';

const CONFIDENCE = 0.95;
/** Points of top-1: above the rounding errors of percents, far below one image of any dataset. */
const ROUNDING = 1e-9;

/** The same few degrees of freedom come again for every level, every pair of levels and every row. */
const criticalValues = new Map<number, number>();
function criticalValue(df: number): number {
  const known = criticalValues.get(df) ?? criticalT(CONFIDENCE, df);
  criticalValues.set(df, known);
  return known;
}

/**
 * Mean ± t · std / √n with n - 1 degrees of freedom, and the two-sided p of a mean of 0. Differences that are all alike have no
 * spread to judge by, as one alone has none: then there is neither, where the formula would claim certainty.
 * @param differences of complete pairs @param leftOut pairs of which a result is missing
 */
export function pairedDifference(differences: readonly number[], leftOut: number): PairedDifference {
  const n = differences.length;
  const mean = meanOf(differences);
  const spread = sampleStdOf(differences);
  const std = spread !== null && spread < ROUNDING ? 0 : spread;
  if (mean === null || std === null || std === 0) return { mean, std, n, leftOut, interval: null, p: null };
  const error = std / Math.sqrt(n);
  const reach = criticalValue(n - 1) * error;
  return {
    mean,
    std,
    n,
    leftOut,
    interval: { low: mean - reach, high: mean + reach },
    p: twoSidedP(mean / error, n - 1),
  };
}

/** Top-1 of the seeds that succeeded, and the seeds that there are at all. */
export interface SeedResults {
  top1: ReadonlyMap<number, number>;
  seeds: ReadonlySet<number>;
}

/**
 * Pairs cells seed by seed: Σ sign · top-1 of each seed that all of them have.
 * @returns the differences, and how many seeds of any cell were left out
 */
export function differencesBySeed(cells: readonly { sign: 1 | -1; results: SeedResults }[]): {
  differences: number[];
  leftOut: number;
} {
  const seeds = new Set(cells.flatMap(({ results }) => [...results.seeds]));
  const differences = [...seeds].flatMap((seed) => {
    const parts = cells.flatMap(({ sign, results }) => {
      const top1 = results.top1.get(seed);
      return top1 === undefined ? [] : [sign * top1];
    });
    return parts.length === cells.length ? [parts.reduce((sum, part) => sum + part, 0)] : [];
  });
  return { differences, leftOut: seeds.size - differences.length };
}
