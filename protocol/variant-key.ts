/** Keys of variants: unique in a study, built from the levels alone, so that a design can grow around what was run. */
import { type Choices, choiceKeys, type DiscriminatorLevel, RECIPE_CHOICES } from './study-choices.ts';
import type { Levels, NetworkRef } from './study-design.ts';

/** Names of weights hold a dot; of the others planned keys hold no underscore and run ids do: no two kinds ever collide. */
export function refKey(ref: NetworkRef): string {
  if (ref.kind === 'pretrained') return ref.weights;
  return ref.kind === 'run' ? ref.runId : ref.key;
}

/** What each teacher counts beside the one that counts least, with the rounding errors of the division cut off. */
export function weightRatios(teachers: readonly NetworkRef[]): number[] {
  const weights = teachers.map(({ weight }) => weight ?? 1);
  const least = Math.min(...weights);
  return weights.map((weight) => Number((weight / least).toPrecision(9)));
}

/** The order of an ensemble does not matter to its mean, nor do equal weights: neither makes another variant. */
export function ensembleKey(teachers: readonly NetworkRef[]): string {
  const ratios = weightRatios(teachers);
  const parts = teachers.map((ref, i) => (ratios[i] === 1 ? refKey(ref) : `${refKey(ref)}*${ratios[i]}`));
  return parts.sort().join('+');
}

const DISCRIMINATOR_KEYS: Record<`${DiscriminatorLevel}`, string> = {
  false: 'd0',
  true: 'd1',
  reversal: 'd-reversal',
  detached: 'd-detached',
};
export const studentVariantKey = (l: Levels) =>
  [ensembleKey(l.teachers), DISCRIMINATOR_KEYS[`${l.discriminator}`], `s${l.inputSize}`, ...choiceKeys(l)].join('|');
export const baselineVariantKey = (inputSize: number, recipe: Partial<Choices> = {}) =>
  ['baseline', `s${inputSize}`, ...choiceKeys(recipe, RECIPE_CHOICES)].join('|');
export const plannedVariantKey = (plannedKey: string) => `planned:${plannedKey}`;
