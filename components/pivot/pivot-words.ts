/** What pivots say in words, on the page and in exports. */
import { FACTOR_WORDS, type FactorName } from '@mealtable/protocol/factor-levels';
import type { Pivot } from './build-pivot.ts';
import type { Level } from './choose-axes.ts';

/** A level by itself: "on" says nothing without its factor. */
export const levelHeading = (name: FactorName, { words }: Level): string =>
  name === 'discriminator' ? `${FACTOR_WORDS[name]} ${words}` : words;

/** "Held: Temperature at temperature 4.", empty where nothing is. */
export function heldWords({ axes, hiddenCount }: Pick<Pivot, 'axes' | 'hiddenCount'>): string {
  if (axes.held.length === 0) return '';
  const levels = axes.held.map(({ factor, level }) => levelHeading(factor.name, level)).join(', ');
  return `All cells are at ${levels}; ${hiddenCount} other ${hiddenCount === 1 ? 'variant is' : 'variants are'} not shown.`;
}
