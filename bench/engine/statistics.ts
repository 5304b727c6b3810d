/** What the rounds of an interleaved measurement say: medians with their spread, and ratios taken within each round. */

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** The middle value (the mean of the two middle ones for an even count) and the extremes. Throws on an empty list. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new RangeError('There is no median of nothing.');
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { median, min, max };
}

/**
 * How many times as fast `subject` was as `other`, round by round: both lists hold rates (images/s), one per round, of
 * measurements made next to each other. What slows the machine for a whole round slows both and leaves the ratio alone, which
 * is why this is not the ratio of the medians.
 */
export function ratiosByRound(subject: readonly number[], other: readonly number[]): number[] {
  if (subject.length !== other.length) {
    throw new RangeError(`Ratios need as many rounds on both sides, not ${subject.length} and ${other.length}.`);
  }
  return subject.map((rate, round) => rate / other[round]!);
}

/** Whole steps that take about `seconds` when one takes `secondsPerStep`; at least one. */
export function stepsFor(seconds: number, secondsPerStep: number): number {
  return Math.max(1, Math.round(seconds / secondsPerStep));
}
