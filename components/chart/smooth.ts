/**
 * Smoothing as W&B's "time weighted EMA": an exponential moving average whose memory is a share of the axis and not a number of points,
 * so that sparse and dense curves are smoothed alike. With r the whole width of the axis and a = min(√amount, 0.999):
 * d = a^(1000·(x_t − x_{t−1})/r),  s_t = (s_{t−1}·d + c_t·y_t) / (w_{t−1}·d + c_t),  both sums beginning at 0, where c_t is the number
 * of points that the entry stands for: a bucket counts as its points would.
 */
const AXIS_PARTS = 1_000;
const MAX_WEIGHT = 0.999;

/**
 * Gaps and values that are not finite stay as they are and do not touch the average.
 * @param x never falling
 * @param amount 0 (no smoothing) to below 1
 * @param width of the axis, in the unit of x
 * @param counts points of each entry; 1 each unless given
 */
export function smooth(
  x: readonly number[],
  values: readonly (number | null)[],
  amount: number,
  width: number,
  counts?: readonly number[],
): (number | null)[] {
  if (amount <= 0) return [...values];
  const weight = Math.min(Math.sqrt(amount), MAX_WEIGHT);
  let sum = 0;
  let total = 0;
  let before: number | null = null;
  return values.map((value, i) => {
    if (value === null || !Number.isFinite(value)) return value;
    const at = x[i] as number;
    const moved = before === null || width <= 0 ? 0 : ((at - before) / width) * AXIS_PARTS;
    before = at;
    const kept = weight ** moved;
    const count = counts?.[i] ?? 1;
    sum = sum * kept + count * value;
    total = total * kept + count;
    return sum / total;
  });
}
