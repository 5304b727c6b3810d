/** Sums over a batch for validation, in double precision. */

export interface Score {
  top1: number;
  top5: number;
  /** Sum of -log softmax(logits)[label]. */
  loss: number;
}

/**
 * How many rows have the label's logit in first place and among the first five, and the sum of their cross-entropies.
 * Ties go to the lower class index, as with argmax; a NaN beats everything, so broken logits never score.
 * @param logits labels.length rows of numbers, one per class
 */
export function scoreLogits(logits: Float32Array, labels: Int32Array): Score {
  const classes = logits.length / labels.length;
  const score: Score = { top1: 0, top5: 0, loss: 0 };
  for (const [row, label] of labels.entries()) {
    const values = logits.subarray(row * classes, (row + 1) * classes);
    const own = values[label]!;
    const max = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let ahead = 0;
    let sum = 0;
    for (const [index, value] of values.entries()) {
      sum += Math.exp(value - max);
      if (index !== label && !(value < own || (value === own && index > label))) ahead++;
    }
    if (ahead < 1) score.top1++;
    if (ahead < 5) score.top5++;
    score.loss += Math.log(sum) + max - own;
  }
  return score;
}
