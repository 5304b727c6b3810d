/** Effects as rows of words and numbers as text: the same on the page, in copies and in a terminal. */
import { FACTOR_WORDS } from './factor-levels.ts';
import type { PairedDifference, StudyEffects } from './views.ts';

export interface EffectRow {
  kind: 'effect' | 'interaction';
  factor: string;
  level: string;
  against: string;
  difference: PairedDifference;
}

/** Factors in their order, then interactions. */
export function effectRows({ factors, interactions }: StudyEffects): EffectRow[] {
  const effects = factors.flatMap(({ factor, reference, levels }) =>
    levels.map(
      ({ level, difference }): EffectRow => ({
        kind: 'effect',
        factor: FACTOR_WORDS[factor],
        level,
        against: reference,
        difference,
      }),
    ),
  );
  const both = (words: readonly [string, string]) => words.join(' × ');
  return [
    ...effects,
    ...interactions.map(
      ({ factors: [a, b], difference }): EffectRow => ({
        kind: 'interaction',
        factor: both([FACTOR_WORDS[a.factor], FACTOR_WORDS[b.factor]]),
        level: both([a.level, b.level]),
        against: both([a.reference, b.reference]),
        difference,
      }),
    ),
  ];
}

/** What can be said of a difference: nothing without an interval. */
export function isWithinNoise({ interval }: Pick<PairedDifference, 'interval'>): boolean | null {
  return interval === null ? null : interval.low <= 0 && interval.high >= 0;
}

/** "+0.42", "-1.30", "0.00" also for what rounds to it */
export function signed(value: number, decimals = 2): string {
  const size = Math.abs(value).toFixed(decimals);
  if (Number(size) === 0) return size;
  return `${value > 0 ? '+' : '-'}${size}`;
}

/** "[-0.30, +1.14]" */
export const intervalWords = ({ low, high }: { low: number; high: number }, decimals = 2): string =>
  `[${signed(low, decimals)}, ${signed(high, decimals)}]`;

/** "0.034"; "<0.001" below that */
export const pWords = (p: number): string => (p < 0.001 ? '<0.001' : p.toFixed(3));

/** "6", or "6 of 8" where pairs were left out */
export const pairWords = ({ n, leftOut }: PairedDifference): string =>
  leftOut === 0 ? `${n}` : `${n} of ${n + leftOut}`;
