/** The table that an ablation study is made for: a row per variant, mean and spread over seeds, difference to the reference. */
import { isWithinNoise } from './effect-words.ts';
import { studyEffects } from './statistics/factor-effects.ts';
import { meanOf, medianOf, sampleStdOf } from './statistics/moments.ts';
import { differencesBySeed, pairedDifference, type SeedResults } from './statistics/paired-difference.ts';
import type { StudyEffects, Top1Row } from './views.ts';

/** What a row is made of. `values`: one per seed, in the order of the seeds. */
export type TableVariant = Pick<
  Top1Row,
  'variantId' | 'role' | 'label' | 'levels' | 'network' | 'inputSize' | 'values'
>;

/** Only a run that ended well has a result; the best of an unfinished one would flatter it or not do it justice. */
const resultsOf = (variant: TableVariant): { seed: number; top1: number; epoch: number | null }[] =>
  variant.values.flatMap(({ status, seed, top1, epoch }) =>
    status === 'succeeded' && top1 !== null ? [{ seed, top1, epoch }] : [],
  );

/** @param variants in the order of the table @param referenceId null: nothing is compared */
export function buildTop1Table(variants: readonly TableVariant[], referenceId: string | null): Top1Row[] {
  const reference = variants.find((v) => v.variantId === referenceId);
  const best = bestOf(variants);
  return variants.map((variant) => {
    const results = resultsOf(variant);
    const values = results.map((r) => r.top1);
    // A teacher is another network trained once: that its seed equals one of the study's pairs nothing.
    const isCompared = reference !== undefined && reference !== variant && variant.role !== 'teacher';
    return {
      variantId: variant.variantId,
      role: variant.role,
      label: variant.label,
      levels: variant.levels,
      network: variant.network,
      inputSize: variant.inputSize,
      isReference: variant === reference,
      values: variant.values,
      n: values.length,
      mean: meanOf(values),
      std: sampleStdOf(values),
      bestEpoch: medianOf(results.flatMap((r) => (r.epoch === null ? [] : [r.epoch]))),
      difference: isCompared ? differenceBetween(variant, reference) : null,
      isBest: variant === best,
      isWithinNoiseOfBest:
        best !== null &&
        variant !== best &&
        variant.role === 'student' &&
        isWithinNoise(differenceBetween(variant, best)) === true,
    };
  });
}

/** @param referenceId one that is no student variant has no levels to compare with */
export function buildEffects(variants: readonly TableVariant[], referenceId: string | null): StudyEffects {
  const students = variants.flatMap((variant) => {
    const { variantId, role, label, levels } = variant;
    return role === 'student' && levels !== null ? [{ variantId, label, levels, results: seedResults(variant) }] : [];
  });
  return studyEffects(students, students.find(({ variantId }) => variantId === referenceId) ?? null);
}

function bestOf(variants: readonly TableVariant[]): TableVariant | null {
  let best: { variant: TableVariant; mean: number } | null = null;
  for (const variant of variants) {
    const mean = variant.role === 'student' ? meanOf(resultsOf(variant).map((r) => r.top1)) : null;
    if (mean !== null && (best === null || mean > best.mean)) best = { variant, mean };
  }
  return best?.variant ?? null;
}

const seedResults = (variant: TableVariant): SeedResults => ({
  top1: new Map(resultsOf(variant).map(({ seed, top1 }) => [seed, top1])),
  seeds: new Set(variant.values.map(({ seed }) => seed)),
});

function differenceBetween(variant: TableVariant, other: TableVariant) {
  const { differences, leftOut } = differencesBySeed([
    { sign: 1, results: seedResults(variant) },
    { sign: -1, results: seedResults(other) },
  ]);
  return pairedDifference(differences, leftOut);
}
