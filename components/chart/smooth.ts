/**
 * Exponential moving average with the start's bias taken out, as Adam does it: s_t = w·s_{t-1} + (1-w)·x_t, shown as
 * s_t / (1 - w^t). Gaps and values that are not finite stay gaps and do not touch the average.
 * @param weight 0 (no smoothing) to below 1
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let average = 0;
  let bias = 1;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    average = weight * average + (1 - weight) * value;
    bias *= weight;
    return average / (1 - bias);
  });
}
