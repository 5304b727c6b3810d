/** An existing study may only grow: what ran keeps its meaning, and the table stays one table. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { PlannedVariant } from '@mealtable/protocol/expand-design';
import { FIXED_FIELDS, type FieldProblem, type StudyDesign } from '@mealtable/protocol/study-design';
import { plannedVariantKey } from '@mealtable/protocol/variant-key';

const NAMES: Record<(typeof FIXED_FIELDS)[number], string> = {
  dataset: 'The dataset',
  student: 'The student',
  epochs: 'The number of epochs',
  batchSize: 'The batch size',
  optimizer: 'The optimiser',
  precision: 'The precision',
  accumulation: 'The number of batches to an update',
  softLabels: 'Where soft labels come from',
  labelSmoothing: 'The label smoothing',
  discriminatorOptions: 'What the discriminator is',
};

export type NamedVariant = Pick<PlannedVariant, 'key' | 'label' | 'role'>;

/** @returns problems of the new design; empty when it holds all of the old one */
export function checkGrowth(
  before: { design: StudyDesign; variants: readonly NamedVariant[] },
  after: { design: StudyDesign; variants: readonly NamedVariant[] },
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const field of FIXED_FIELDS)
    if (!isDeepStrictEqual(before.design[field], after.design[field]))
      problems.push({
        path: field,
        message: `${NAMES[field]} of an existing study cannot change. Clone the study instead.`,
      });

  for (const old of before.design.planned) {
    const index = after.design.planned.findIndex((p) => p.key === old.key);
    if (index < 0)
      problems.push({ path: 'planned', message: `"${old.key}" is missing: a study cannot lose what it trained.` });
    else if (!isDeepStrictEqual(after.design.planned[index], old))
      problems.push({ path: `planned.${index}`, message: `"${old.key}" was planned otherwise. Add another instead.` });
  }

  const removedSeeds = before.design.seeds.filter((seed) => !after.design.seeds.includes(seed));
  if (removedSeeds.length > 0)
    problems.push({ path: 'seeds', message: `Seed ${removedSeeds.join(', ')} is missing: seeds can only be added.` });

  const kept = new Set(after.variants.map((v) => v.key));
  const path = after.design.design === 'list' ? 'list' : 'factors';
  // Sets of labels follow from the students: those that no new run needs are not missed.
  const lost = before.variants.filter(
    (v) => v.role !== 'labelling' && !kept.has(v.key) && !v.key.startsWith(plannedVariantKey('')),
  );
  for (const { label, role } of lost)
    problems.push({
      path: role === 'baseline' ? 'baseline' : path,
      message: `The variant "${label}" is missing: variants can only be added.`,
    });
  return problems;
}
