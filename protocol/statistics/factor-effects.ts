/**
 * What each factor does to top-1: differences of runs that have every other level and the seed in common, so that what those do cancels.
 * Works for any design: a full factorial pairs in every combination of the rest, one at a time around its first levels, a list wherever
 * two of its variants differ in one factor alone.
 */
import { FACTOR_NAMES, type FactorName } from '../factor-levels.ts';
import type { FactorEffects, InteractionEffect, StudyEffects } from '../views.ts';
import { differencesBySeed, pairedDifference } from './paired-difference.ts';
import { type IndexedVariant, type LevelName, type StudentVariant, VariantIndex } from './variant-index.ts';

interface VariedFactor {
  name: FactorName;
  reference: LevelName;
  others: LevelName[];
}

/**
 * @param variants the study's student variants in the order of the table
 * @param reference the variant whose levels the others are compared with; null: each factor's first level
 */
export function studyEffects(variants: readonly StudentVariant[], reference: StudentVariant | null): StudyEffects {
  const index = new VariantIndex(variants);
  const chosen = reference && index.variants[variants.indexOf(reference)];
  const varied = FACTOR_NAMES.flatMap((name): VariedFactor[] => {
    const [first, ...others] = index.levelsOf(name, chosen?.keys[name]);
    return first && others.length > 0 ? [{ name, reference: first, others }] : [];
  });
  return {
    factors: varied.map((factor) => effectsOf(index, factor)),
    interactions: varied.flatMap((factor, i) =>
      varied.slice(i + 1).flatMap((other) => interactionsOf(index, factor, other)),
    ),
  };
}

function effectsOf(index: VariantIndex, { name, reference, others }: VariedFactor): FactorEffects {
  const levels = others.map(({ key, words }) => {
    const pairs = index.variants.flatMap((variant) => {
      const partner = variant.keys[name] === key && index.withOther(variant, { [name]: reference.key });
      return partner ? [differencesBySeed([plus(variant), minus(partner)])] : [];
    });
    return { level: words, variantPairs: pairs.length, difference: pooled(pairs) };
  });
  return { factor: name, reference: reference.words, levels };
}

/** How much more a level does at another level of a second factor than at that one's reference level: a difference of differences. */
function interactionsOf(index: VariantIndex, a: VariedFactor, b: VariedFactor): InteractionEffect[] {
  return a.others.flatMap((levelA) =>
    b.others.flatMap((levelB) => {
      const squares = index.variants.flatMap((both) => {
        if (both.keys[a.name] !== levelA.key || both.keys[b.name] !== levelB.key) return [];
        const onlyA = index.withOther(both, { [b.name]: b.reference.key });
        const onlyB = index.withOther(both, { [a.name]: a.reference.key });
        const neither = onlyA && index.withOther(onlyA, { [a.name]: a.reference.key });
        return onlyA && onlyB && neither
          ? [differencesBySeed([plus(both), minus(onlyA), minus(onlyB), plus(neither)])]
          : [];
      });
      if (squares.length === 0) return [];
      const factors: InteractionEffect['factors'] = [
        { factor: a.name, level: levelA.words, reference: a.reference.words },
        { factor: b.name, level: levelB.words, reference: b.reference.words },
      ];
      return [{ factors, difference: pooled(squares) }];
    }),
  );
}

const plus = ({ results }: IndexedVariant) => ({ sign: 1, results }) as const;
const minus = ({ results }: IndexedVariant) => ({ sign: -1, results }) as const;

const pooled = (parts: readonly ReturnType<typeof differencesBySeed>[]) =>
  pairedDifference(
    parts.flatMap(({ differences }) => differences),
    parts.reduce((sum, { leftOut }) => sum + leftOut, 0),
  );
