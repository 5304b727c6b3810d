/** RunConfig of each run of an expanded design: planned references become the ids of the runs that train them. */
import type { MethodFields } from '@mealtable/protocol/distillation-method';
import type { PlannedVariant } from '@mealtable/protocol/expand-design';
import type { LabelSet } from '@mealtable/protocol/label-sets';
import {
  type Initialisation,
  LabellingConfig,
  type RunConfig,
  type TeacherSource,
  TrainingConfig,
} from '@mealtable/protocol/run-config';
import type { SoftLabelsConfig } from '@mealtable/protocol/soft-labels';
import type { Levels, NetworkRef, StudyDesign } from '@mealtable/protocol/study-design';
import type { RecipeFields } from '@mealtable/protocol/training-recipe';

/** Planned key to the id of the run that trains it. */
export type PlannedRunIds = ReadonlyMap<string, string>;
/** Ids of the runs that others need, by the keys of what they make. */
export interface NeededRunIds {
  planned: PlannedRunIds;
  /** By `LabelSet.key`. */
  labelling: ReadonlyMap<string, string>;
}

/** @throws {Error} when a planned reference has no run: the design was not checked */
export function resolveRef(ref: NetworkRef, plannedRunIds: PlannedRunIds): TeacherSource {
  if (ref.kind !== 'planned') return ref;
  const { key, weight } = ref;
  return { kind: 'run', runId: runIdOf(key, plannedRunIds), ...(weight !== undefined && { weight }) };
}

function runIdOf(key: string, plannedRunIds: PlannedRunIds): string {
  const runId = plannedRunIds.get(key);
  if (runId === undefined) throw new Error(`The planned network "${key}" has no run.`);
  return runId;
}

function resolveStart({ initialisation }: StudyDesign['student'], plannedRunIds: PlannedRunIds): Initialisation {
  if (initialisation.kind !== 'planned') return initialisation;
  return { kind: 'run', runId: runIdOf(initialisation.key, plannedRunIds) };
}

/** @returns a checked config; students distil, planned networks and baselines learn from hard labels, others label */
export function buildConfig(
  design: StudyDesign,
  variant: PlannedVariant,
  seed: number,
  { planned: plannedRunIds, labelling }: NeededRunIds,
): RunConfig {
  if (variant.role === 'labelling') return buildLabelling(design, variant, plannedRunIds);
  if (variant.planned) {
    const { key: _, initialisation, seed: __, ...planned } = variant.planned;
    return TrainingConfig.parse({
      version: 1,
      task: 'classification',
      dataset: design.dataset,
      ...planned,
      initialisation: initialisation ?? { kind: 'random' },
      seed,
      precision: design.precision,
    } satisfies TrainingConfig);
  }
  const { network } = design.student;
  const student = {
    version: 1 as const,
    dataset: design.dataset,
    network,
    initialisation: resolveStart(design.student, plannedRunIds),
    inputSize: variant.inputSize,
    epochs: design.epochs,
    batchSize: design.batchSize,
    seed,
    optimizer: design.optimizer,
    precision: design.precision,
    accumulation: design.accumulation,
    ...presentOnly(variant.recipe),
  };
  const { levels } = variant;
  if (!levels)
    return TrainingConfig.parse({
      task: 'classification',
      ...student,
      labelSmoothing: design.labelSmoothing,
    } satisfies TrainingConfig);
  return TrainingConfig.parse({
    task: 'distillation',
    ...student,
    teachers: levels.teachers.map((ref) => resolveRef(ref, plannedRunIds)),
    teacherInputSize: levels.teacherInputSize ?? undefined,
    ...methodOfLevels(design, levels),
    softLabels: lookUp(design.softLabels, variant.labelSets, labelling),
  } satisfies TrainingConfig);
}

function buildLabelling(
  design: StudyDesign,
  { labelSets }: PlannedVariant,
  plannedRunIds: PlannedRunIds,
): LabellingConfig {
  const [set] = labelSets;
  if (set === undefined || design.softLabels?.mode !== 'prefill') throw new Error('A variant labels without a set.');
  const { viewsPerImage, augmentationSeed, keep } = design.softLabels;
  return LabellingConfig.parse({
    version: 1,
    task: 'labelling',
    dataset: design.dataset,
    teachers: set.teachers.map((ref) => resolveRef(ref, plannedRunIds)),
    ...(set.teachers.length > 1 && { ensemble: 'mean-logit' }),
    ...(set.temperature !== 1 && { temperature: set.temperature }),
    inputSize: set.inputSize,
    batchSize: design.batchSize,
    precision: design.precision,
    softLabels: { viewsPerImage, augmentationSeed, keep, logits: set.logits },
  } satisfies LabellingConfig);
}

/** A student of a prefilled study looks its labels up in what was computed for it. */
function lookUp(
  softLabels: StudyDesign['softLabels'],
  sets: readonly LabelSet[],
  labelling: ReadonlyMap<string, string>,
): SoftLabelsConfig | undefined {
  if (softLabels?.mode !== 'prefill') return softLabels;
  const labelledBy = sets.map(({ key }) => {
    const runId = labelling.get(key);
    if (runId === undefined) throw new Error(`The set "${key}" has no run.`);
    return runId;
  });
  const { hostLabels: _, ...kept } = softLabels;
  return { ...kept, mode: 'cached', logits: sets.some(({ logits }) => logits), labelledBy };
}

/** Of a design's recipe, null says that there is none; a config leaves it out. */
const presentOnly = ({ mixing, ema }: PlannedVariant['recipe']): RecipeFields => ({
  ...(mixing && { mixing }),
  ...(ema && { ema }),
});

/** Options of what a variant does not have are left out: a study may switch the discriminator or the hard labels on and off. */
function methodOfLevels(design: StudyDesign, levels: Levels): MethodFields & { discriminator: boolean } {
  const { ensemble, temperature, hardLabelWeight, discriminator } = levels;
  const gradient = typeof discriminator === 'string' ? { gradient: discriminator } : {};
  const options = { ...design.discriminatorOptions, ...gradient };
  return {
    discriminator: discriminator !== false,
    ensemble,
    temperature,
    hardLabelWeight,
    labelSmoothing: hardLabelWeight ? design.labelSmoothing : undefined,
    ...(discriminator !== false && Object.keys(options).length > 0 && { discriminatorOptions: options }),
  };
}

/** Planned networks that must be trained before this variant's runs. */
export function plannedNeeds(design: StudyDesign, variant: PlannedVariant): string[] {
  if (variant.planned) return [];
  const refs: (NetworkRef | StudyDesign['student']['initialisation'])[] = variant.labelSets.flatMap((s) => s.teachers);
  if (variant.role !== 'labelling') refs.push(...(variant.levels?.teachers ?? []), design.student.initialisation);
  return [...new Set(refs.flatMap((ref) => (ref.kind === 'planned' ? [ref.key] : [])))];
}
