/** StudyDesign: what the form edits and the API takes. `expandDesign` turns it into variants and runs. */
import { z } from 'zod';
import { DiscriminatorOptions, LabelSmoothing, TeacherWeight } from './distillation-method.ts';
import { RunId } from './ids.ts';
import { NetworkName } from './networks.ts';
import { PUBLISHED_STUDY_NAMES } from './published-studies.ts';
import { WeightsName } from './published-weights.ts';
import {
  BatchSize,
  DatasetName,
  Epochs,
  InputSize,
  OptimizerConfig,
  Precision,
  PretrainedStart,
  Seed,
} from './run-config.ts';
import { StudySoftLabels } from './soft-labels.ts';
import { choiceFactors, choiceLevels, DiscriminatorLevel } from './study-choices.ts';
import { Accumulation, recipeFields } from './training-recipe.ts';

export const PlannedKey = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'A key is 1-40 lower-case letters, digits or dashes.');

/** A network that the study trains first, on hard labels: a teacher or a student's start. */
export const PlannedNetwork = z.strictObject({
  key: PlannedKey,
  network: NetworkName,
  /** Published weights to start from; absent = random weights. */
  initialisation: PretrainedStart.optional(),
  inputSize: InputSize,
  epochs: Epochs,
  batchSize: BatchSize,
  seed: Seed,
  optimizer: OptimizerConfig,
  ...recipeFields,
  labelSmoothing: LabelSmoothing.optional(),
});
export type PlannedNetwork = z.infer<typeof PlannedNetwork>;

const weight = TeacherWeight.optional();
/** A teacher: a run that exists, one that this study trains first, or published weights. Without a weight it counts 1. */
export const NetworkRef = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), runId: RunId, weight }),
  z.strictObject({ kind: z.literal('planned'), key: PlannedKey, weight }),
  z.strictObject({ kind: z.literal('pretrained'), weights: WeightsName, weight }),
]);
export type NetworkRef = z.infer<typeof NetworkRef>;

/** One level of the factor "teachers": an ensemble. */
export const TeacherSet = z.array(NetworkRef).min(1, 'An ensemble needs at least one teacher.');
export type TeacherSet = z.infer<typeof TeacherSet>;

export const Levels = z.strictObject({
  teachers: TeacherSet,
  discriminator: DiscriminatorLevel,
  inputSize: InputSize,
  ...choiceLevels,
});
export type Levels = z.infer<typeof Levels>;

export const DESIGN_KINDS = ['full-factorial', 'one-at-a-time', 'list'] as const;

export const StudyName = z
  .string()
  .trim()
  .min(1, 'Give the study a name.')
  .max(200, 'A study name has at most 200 characters.');

export const StudyDesign = z.strictObject({
  version: z.literal(1),
  dataset: DatasetName,
  student: z.strictObject({
    network: NetworkName,
    initialisation: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('random') }),
      z.strictObject({ kind: z.literal('run'), runId: RunId }),
      z.strictObject({ kind: z.literal('planned'), key: PlannedKey }),
      PretrainedStart,
    ]),
  }),
  epochs: Epochs,
  batchSize: BatchSize,
  optimizer: OptimizerConfig,
  /** Of every run of the study, those of planned networks included. The default is that of the run config. */
  precision: Precision.default('float32'),
  /** Batches to an update, of students and the student alone. */
  accumulation: Accumulation.optional(),
  /** Of the hard labels that students and the student alone learn from. */
  labelSmoothing: LabelSmoothing.optional(),
  /** Of every variant that has a discriminator. How it trains the student is the factor's level. */
  discriminatorOptions: DiscriminatorOptions.omit({ gradient: true }).optional(),
  /** Where the students' soft labels come from; the teachers are asked in every step unless given. */
  softLabels: StudySoftLabels.optional(),
  planned: z.array(PlannedNetwork).max(20, 'At most 20 networks can be trained first.'),
  /** Also train the student alone on hard labels, with the same budget, for every input size and seed. */
  baseline: z.boolean(),
  design: z.enum(DESIGN_KINDS),
  factors: z.strictObject({
    teachers: z.array(TeacherSet),
    discriminator: z.array(DiscriminatorLevel),
    inputSize: z.array(InputSize),
    ...choiceFactors,
  }),
  /** Only for the design `list`: the variants themselves. */
  list: z.array(Levels),
  seeds: z.array(Seed).min(1, 'Give at least one seed.'),
  /** Whose published result stands beside the study's own. It changes nothing that is computed. */
  reproduces: z.enum(PUBLISHED_STUDY_NAMES).optional(),
});
export type StudyDesign = z.infer<typeof StudyDesign>;
export type StudyDesignInput = z.input<typeof StudyDesign>;

/** What an existing study cannot change: it would no longer compare like with like. */
export const FIXED_FIELDS = [
  'dataset',
  'student',
  'epochs',
  'batchSize',
  'optimizer',
  'precision',
  'accumulation',
  'softLabels',
  'labelSmoothing',
  'discriminatorOptions',
] as const satisfies readonly (keyof StudyDesign)[];

/** A fault in a design: `path` names the form's field, dot-separated. */
export interface FieldProblem {
  path: string;
  message: string;
}
