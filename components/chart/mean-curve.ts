/** Mean and spread over seeds, place by place. */
export interface Curve {
  x: readonly number[];
  y: readonly number[];
}
export interface MeanCurve {
  x: number[];
  mean: number[];
  /** Mean minus and plus one sample standard deviation; equal to the mean where one curve alone is there. */
  low: number[];
  high: number[];
  n: number;
}

/**
 * Only places that every curve has reached count: a mean over seeds that changes its seeds on the way jumps for no
 * reason. Leave out curves that ended early (failed, cancelled) before calling.
 */
export function meanCurve(curves: readonly Curve[]): MeanCurve {
  const begun = curves.filter((curve) => curve.x.length > 0);
  const sums = new Map<number, { n: number; sum: number; squares: number }>();
  for (const curve of begun) {
    const seen = new Set<number>();
    curve.x.forEach((x, i) => {
      const y = curve.y[i];
      if (y === undefined || !Number.isFinite(y) || seen.has(x)) return;
      seen.add(x);
      const at = sums.get(x) ?? { n: 0, sum: 0, squares: 0 };
      sums.set(x, { n: at.n + 1, sum: at.sum + y, squares: at.squares + y * y });
    });
  }
  const shared = [...sums].filter(([, at]) => at.n === begun.length).sort(([a], [b]) => a - b);
  const result: MeanCurve = { x: [], mean: [], low: [], high: [], n: begun.length };
  for (const [x, { n, sum, squares }] of shared) {
    const mean = sum / n;
    const std = n > 1 ? Math.sqrt(Math.max(0, squares - n * mean * mean) / (n - 1)) : 0;
    result.x.push(x);
    result.mean.push(mean);
    result.low.push(mean - std);
    result.high.push(mean + std);
  }
  return result;
}
