/** One scale for all effects of a study: 0 on it, round marks, and intervals that go far beyond the effects cut off. */
import type { PairedDifference } from '@mealtable/protocol/views';

export interface EffectScale {
  min: number;
  max: number;
  /** Places of the marks, 0 among them. */
  ticks: number[];
}

/** Two seeds give intervals of twelve times their error: an interval is shown up to this many times the largest effect. */
const SHOWN_REACH = 4;
/** Points of top-1 that are shown at least on either side of what there is. */
const LEAST = 0.25;

/** @returns null while there is no effect to show */
export function effectScale(differences: readonly PairedDifference[]): EffectScale | null {
  const means = differences.flatMap(({ mean }) => (mean === null ? [] : [mean]));
  if (means.length === 0) return null;
  const reach = SHOWN_REACH * Math.max(LEAST, ...means.map(Math.abs));
  const ends = differences.flatMap(({ interval }) => (interval === null ? [] : [interval.low, interval.high]));
  const shown = [0, ...means, ...ends.map((end) => Math.min(reach, Math.max(-reach, end)))];
  const low = Math.min(...shown) - LEAST;
  const high = Math.max(...shown) + LEAST;
  const step = roundStep((high - low) / 4);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return { min: low, max: high, ticks: Array.from({ length: count }, (_, i) => (first + i) * step) };
}

/** 1, 2 or 5 times a power of ten, at least `least` */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

/** @returns where a value stands, 0 to 1; and on which side it lies beyond the scale */
export function placeOn({ min, max }: EffectScale, value: number): { at: number; beyond: -1 | 0 | 1 } {
  const at = (value - min) / (max - min);
  return { at: Math.min(1, Math.max(0, at)), beyond: at < 0 ? -1 : at > 1 ? 1 : 0 };
}
