/** The table that an ablation study is made for: a row per variant, mean and spread over seeds, difference to the reference. */
import type { NetworkName } from '@mealtable/protocol/networks';
import type { RunRole } from '@mealtable/protocol/statuses';
import type { Levels } from '@mealtable/protocol/study-design';
import { plannedVariantKey } from '@mealtable/protocol/variant-key';
import type { Top1Row, Top1Value } from '@mealtable/protocol/views';

export interface TableVariant {
  id: string;
  key: string;
  role: RunRole;
  label: string;
  levels: Levels | null;
  network: NetworkName;
  inputSize: number;
  /** One per seed, in the order of the seeds. */
  values: Top1Value[];
}

/** Only a run that ended well has a result; the best of an unfinished one would flatter it or not do it justice. */
const resultsOf = (variant: TableVariant): { seed: number; top1: number; epoch: number | null }[] =>
  variant.values.flatMap(({ status, seed, top1, epoch }) =>
    status === 'succeeded' && top1 !== null ? [{ seed, top1, epoch }] : [],
  );

/**
 * The reference when nobody chose one: the student trained alone, else the first student variant.
 * @param variants in the order of the table
 */
export function chooseReference(variants: readonly TableVariant[], chosenId: string | null): string | null {
  const chosen = variants.find((v) => v.id === chosenId);
  const alone = variants.find((v) => v.role === 'baseline' && !v.key.startsWith(plannedVariantKey('')));
  return (chosen ?? alone ?? variants.find((v) => v.role === 'student'))?.id ?? null;
}

/** @param variants in the order of the table @param referenceId from `chooseReference` */
export function buildTop1Table(variants: readonly TableVariant[], referenceId: string | null): Top1Row[] {
  const reference = variants.find((v) => v.id === referenceId);
  const referenceBySeed = new Map((reference ? resultsOf(reference) : []).map((r) => [r.seed, r.top1]));
  return variants.map((variant) => {
    const results = resultsOf(variant);
    const values = results.map((r) => r.top1);
    const differences = results.flatMap(({ seed, top1 }) => {
      const other = referenceBySeed.get(seed);
      return other === undefined ? [] : [top1 - other];
    });
    // A teacher is another network trained once: that its seed equals one of the study's pairs nothing.
    const isComparable = variant.role !== 'teacher';
    return {
      variantId: variant.id,
      role: variant.role,
      label: variant.label,
      levels: variant.levels,
      network: variant.network,
      inputSize: variant.inputSize,
      isReference: variant.id === referenceId,
      values: variant.values,
      n: values.length,
      mean: meanOf(values),
      std: sampleStdOf(values),
      bestEpoch: medianOf(results.flatMap((r) => (r.epoch === null ? [] : [r.epoch]))),
      difference: isComparable ? meanOf(differences) : null,
      pairedSeeds: isComparable ? differences.length : 0,
    };
  });
}

export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}

/** Bessel's correction, two passes; null below two values, where a spread says nothing. */
export function sampleStdOf(values: readonly number[]): number | null {
  const mean = meanOf(values);
  if (mean === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
}

export function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
