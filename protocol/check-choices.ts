/** What is wrong with a design's choices of method and recipe, each fault with its field. */
import { explainUncacheable } from './soft-labels.ts';
import { CHOICE_NAMES, type ChoiceName, choiceKey, choiceOf, choiceWords } from './study-choices.ts';
import type { Levels, StudyDesign } from './study-design.ts';

/** @returns the index of the first element that equals an earlier one, or null */
export function findRepeated<T>(items: readonly T[], keyOf: (item: T) => string): number | null {
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    const key = keyOf(item);
    if (seen.has(key)) return i;
    seen.add(key);
  }
  return null;
}

/** @param levels the design's variants */
export function checkChoices(
  design: StudyDesign,
  levels: readonly Levels[],
  add: (path: string, message: string) => void,
): void {
  if (design.design !== 'list') for (const name of CHOICE_NAMES) checkFactor(design.factors, name, add);
  const hasHardLabels = design.baseline || levels.some((l) => choiceOf(l, 'hardLabelWeight') > 0);
  if (design.labelSmoothing && levels.length > 0 && !hasHardLabels)
    add(
      'labelSmoothing',
      'Label smoothing acts on hard labels, and no run of this study learns from any: give them a weight, train the student alone too, or leave the smoothing out.',
    );
  if (design.discriminatorOptions && levels.length > 0 && !levels.some((l) => l.discriminator !== false))
    add('discriminatorOptions', 'No variant has the discriminator: switch it on, or leave its options out.');
  const { softLabels, discriminatorOptions } = design;
  const uncacheable = levels.flatMap(
    ({ mixing, ensemble, discriminator }) =>
      explainUncacheable({
        softLabels,
        ensemble,
        mixing: mixing ?? undefined,
        discriminator: discriminator !== false,
        discriminatorOptions,
      }) ?? [],
  );
  if (uncacheable.length > 0) add('softLabels', uncacheable[0]!);
}

function checkFactor<K extends ChoiceName>(
  factors: StudyDesign['factors'],
  name: K,
  add: (path: string, message: string) => void,
): void {
  const levels = factors[name];
  if (levels === undefined) return;
  if (levels.length === 0) add(`factors.${name}`, 'Choose at least one level.');
  const keyOf = (level: (typeof levels)[number]) => choiceKey(name, level as never);
  const repeated = findRepeated<(typeof levels)[number]>(levels, keyOf);
  if (repeated !== null)
    add(`factors.${name}.${repeated}`, `The level "${choiceWords(name, levels[repeated] as never)}" is listed twice.`);
}
