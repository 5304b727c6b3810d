/** RunConfig: everything that decides what one run computes. Stored with the run, handed to the trainer unchanged. */
import { z } from 'zod';
import { explainIdleSmoothing, LabelSmoothing, methodFields, TeacherWeight } from './distillation-method.ts';
import { CheckpointId, RunId } from './ids.ts';
import { NETWORKS, NetworkName } from './networks.ts';
import { KNOWN_WEIGHTS, WeightsName } from './published-weights.ts';
import { explainUncacheable, LabelOptions, SoftLabelsConfig } from './soft-labels.ts';
import { AdamWConfig, DecayedParameters, recipeFields } from './training-recipe.ts';

export const DatasetName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'A dataset name is 1-64 lower-case letters, digits, dots, dashes or underscores.',
  );

/** Learning rate over epochs. `step` multiplies by `factor` at the start of each listed epoch (0-based). A warm-up rises evenly. */
export const Schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({
    kind: z.literal('step'),
    dropAtEpochs: z.array(z.int().min(1)).min(1, 'Name at least one epoch at which the learning rate drops.'),
    factor: z.number().gt(0).lt(1),
    warmupEpochs: z.int().min(0).optional(),
  }),
  z.strictObject({ kind: z.literal('cosine'), warmupEpochs: z.int().min(0).default(0) }),
]);
export type Schedule = z.infer<typeof Schedule>;

/** SGD, or AdamW where that is given, as PyTorch computes them. MEAL V2's own values: SGD, momentum 0.9, weight decay 0. */
export const OptimizerConfig = z.strictObject({
  learningRate: z
    .number('Give a learning rate.')
    .gt(0, 'The learning rate must be above 0.')
    .max(10, 'A learning rate above 10 cannot train: use 10 or less.'),
  momentum: z.number().min(0).lt(1, 'Momentum must be below 1.').default(0.9),
  weightDecay: z.number().min(0).max(1).default(0),
  /** All of them unless given, as in the reference code. */
  decayedParameters: DecayedParameters.optional(),
  adamw: AdamWConfig.optional(),
  schedule: Schedule.default({ kind: 'constant' }),
});
export type OptimizerConfig = z.infer<typeof OptimizerConfig>;

export const INPUT_SIZE_CHOICES = [224, 380] as const;
export const InputSize = z
  .int('The input size is a whole number of pixels.')
  .min(16, 'The input size must be at least 16 pixels.')
  .max(1024, 'The input size can be at most 1024 pixels.');
export const Epochs = z
  .int('Epochs are a whole number.')
  .min(1, 'Train for at least 1 epoch.')
  .max(10_000, 'At most 10,000 epochs.');
export const BatchSize = z
  .int('The batch size is a whole number.')
  .min(2, 'Batch norm needs a batch of at least 2.')
  .max(4096, 'At most 4096 images a batch.');
export const Seed = z
  .int('A seed is a whole number.')
  .min(0, 'A seed is 0 or more.')
  .max(2 ** 31 - 1, 'A seed is below 2,147,483,648.');

/** What convolutions and matrix products are computed in on a GPU; CPUs always compute in float32. Weights stay float32. */
export const PRECISIONS = ['float32', 'bfloat16', 'float16'] as const;
export const Precision = z.enum(PRECISIONS);
export type Precision = z.infer<typeof Precision>;

/**
 * Published weights to start from. With `head` 'replace' everything but the classifier is taken, which starts freshly drawn
 * for the dataset's classes; 'keep' wants a dataset with as many classes as the weights know.
 */
export const PretrainedStart = z.strictObject({
  kind: z.literal('pretrained'),
  weights: WeightsName,
  head: z.enum(['keep', 'replace']).default('keep'),
});
export type PretrainedStart = z.infer<typeof PretrainedStart>;

/** Where the trained network's weights come from at step 0. */
export const Initialisation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('random') }),
  z.strictObject({ kind: z.literal('run'), runId: RunId }),
  PretrainedStart,
]);
export type Initialisation = z.infer<typeof Initialisation>;

/** A frozen teacher: the best checkpoint of a succeeded run, or published weights. Without a weight it counts 1. */
export const TeacherSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), runId: RunId, weight: TeacherWeight.optional() }),
  z.strictObject({ kind: z.literal('pretrained'), weights: WeightsName, weight: TeacherWeight.optional() }),
]);
export type TeacherSource = z.infer<typeof TeacherSource>;

/** What a teacher is known by: its run's id, or its weights' name, which holds a dot and so is never an id. */
export const teacherId = (teacher: TeacherSource): string => (teacher.kind === 'run' ? teacher.runId : teacher.weights);

/** What each teacher counts in the ensemble, in the config's order. */
export const teacherWeights = ({ teachers }: { teachers: readonly TeacherSource[] }): number[] =>
  teachers.map(({ weight }) => weight ?? 1);

/** Pixels of the teachers' images: those of the student's unless said otherwise. */
export const teacherSize = (config: { inputSize: number; teacherInputSize?: number | null | undefined }): number =>
  config.teacherInputSize ?? config.inputSize;

/** A sentence when published weights are not of this network, else null. Names that are unknown have their own sentence. */
export function explainOtherNetwork(weights: string, network: NetworkName): string | null {
  const known = KNOWN_WEIGHTS.get(weights);
  if (known === undefined || known.network === network) return null;
  return `The weights ${weights} are those of a ${known.network}, but the network is a ${network}. Choose weights of the same network.`;
}

const common = {
  version: z.literal(1),
  dataset: DatasetName,
  network: NetworkName,
  initialisation: Initialisation,
  inputSize: InputSize,
  epochs: Epochs,
  batchSize: BatchSize,
  seed: Seed,
  optimizer: OptimizerConfig,
  /** The default is what configs stored without it were computed in. */
  precision: Precision.default('float32'),
  ...recipeFields,
};

export const ClassificationConfig = z.strictObject({
  task: z.literal('classification'),
  ...common,
  labelSmoothing: LabelSmoothing.optional(),
});
export const DistillationConfig = z.strictObject({
  task: z.literal('distillation'),
  ...common,
  teachers: z.array(TeacherSource).min(1, 'Choose at least one teacher.'),
  /** Of what the teachers see: the same crop at a size of their own. Absent: the student's very pixels, as in MEAL V2. */
  teacherInputSize: InputSize.optional(),
  discriminator: z.boolean(),
  ...methodFields,
  softLabels: SoftLabelsConfig.optional(),
});
export type ClassificationConfig = z.infer<typeof ClassificationConfig>;
export type DistillationConfig = z.infer<typeof DistillationConfig>;

/** What an evaluation measures: published weights, or any checkpoint of a run. */
export const EvaluationSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('pretrained'), weights: WeightsName }),
  z.strictObject({ kind: z.literal('run'), runId: RunId, checkpointId: CheckpointId }),
]);
export type EvaluationSource = z.infer<typeof EvaluationSource>;

const Rgb = z.tuple([z.number(), z.number(), z.number()]);
/** How the validation images are cut, resized and normalised. */
export const EvaluationPreprocessing = z.strictObject({
  cropFraction: z
    .number('The crop is a share of the resized image.')
    .gt(0, 'The crop must be above 0.')
    .max(1, 'The crop can be at most 1, the whole image.'),
  interpolation: z.enum(['bilinear', 'bicubic']),
  mean: Rgb,
  std: z.tuple([z.number().gt(0), z.number().gt(0), z.number().gt(0)]),
});
export type EvaluationPreprocessing = z.infer<typeof EvaluationPreprocessing>;

/** Where no batch statistics are computed one image will do. */
export const EvaluationBatchSize = z
  .int('The batch size is a whole number.')
  .min(1, 'The batch size must be at least 1.')
  .max(4096, 'At most 4096 images a batch.');

/** One pass over a dataset's validation images. Always computed in float32, as every number that ends up in a table. */
export const EvaluationConfig = z.strictObject({
  task: z.literal('evaluation'),
  version: z.literal(1),
  dataset: DatasetName,
  network: NetworkName,
  source: EvaluationSource,
  inputSize: InputSize,
  batchSize: EvaluationBatchSize,
  preprocessing: EvaluationPreprocessing,
});
export type EvaluationConfig = z.infer<typeof EvaluationConfig>;

/** A run that trains nothing: it asks teachers for a set of soft labels, which other runs then learn from. */
export const LabellingConfig = z.strictObject({
  task: z.literal('labelling'),
  version: z.literal(1),
  dataset: DatasetName,
  /** One, or several whose logits are averaged: of other ensembles each teacher has a set of its own. */
  teachers: z.array(TeacherSource).min(1, 'Choose at least one teacher.'),
  ensemble: methodFields.ensemble,
  temperature: methodFields.temperature,
  /** Pixels of what the teachers see. */
  inputSize: InputSize,
  batchSize: EvaluationBatchSize,
  precision: Precision.default('float32'),
  softLabels: LabelOptions,
});
export type LabellingConfig = z.infer<typeof LabellingConfig>;

type AnyConfig = ClassificationConfig | DistillationConfig | EvaluationConfig | LabellingConfig;

/** What no single field can say: the network, its size and the weights that it begins with must fit together. */
function checkConfig(config: AnyConfig, ctx: Pick<z.RefinementCtx, 'addIssue'>): void {
  if (config.task === 'labelling') {
    checkLabelling(config, ctx);
    return;
  }
  const { minInputSize } = NETWORKS[config.network];
  if (config.inputSize < minInputSize)
    ctx.addIssue({
      code: 'custom',
      path: ['inputSize'],
      message: `${config.network} needs an input of at least ${minInputSize} pixels; got ${config.inputSize}.`,
    });
  const [field, start] =
    config.task === 'evaluation' ? ['source', config.source] : ['initialisation', config.initialisation];
  const other = start.kind === 'pretrained' ? explainOtherNetwork(start.weights, config.network) : null;
  if (other !== null) ctx.addIssue({ code: 'custom', path: [field, 'weights'], message: other });
  if (config.task === 'distillation') checkMethod(config, ctx);
}

function checkMethod(config: DistillationConfig, ctx: Pick<z.RefinementCtx, 'addIssue'>): void {
  const complain = (field: string, message: string) => ctx.addIssue({ code: 'custom', path: [field], message });
  if (new Set(config.teachers.map(teacherId)).size !== config.teachers.length)
    complain('teachers', 'The same teacher is listed twice.');
  const idle = explainIdleSmoothing(config);
  if (idle !== null) complain('labelSmoothing', idle);
  const uncacheable = explainUncacheable(config);
  if (uncacheable !== null) complain('softLabels', uncacheable);
  if (!config.discriminator && config.discriminatorOptions !== undefined)
    complain('discriminatorOptions', 'The discriminator is off: switch it on, or leave its options out.');
}

function checkLabelling({ teachers, ensemble }: LabellingConfig, ctx: Pick<z.RefinementCtx, 'addIssue'>): void {
  const complain = (field: string, message: string) => ctx.addIssue({ code: 'custom', path: [field], message });
  if (new Set(teachers.map(teacherId)).size !== teachers.length)
    complain('teachers', 'The same teacher is listed twice.');
  if (teachers.length > 1 && ensemble !== 'mean-logit')
    complain('teachers', 'Only with the mean of logits do several teachers have labels together: label with one each.');
}

/** Of a run that trains a network, as opposed to one that only measures it or asks it. */
export const TrainingConfig = z
  .discriminatedUnion('task', [ClassificationConfig, DistillationConfig])
  .superRefine(checkConfig);
export type TrainingConfig = z.infer<typeof TrainingConfig>;

export const RunConfig = z
  .discriminatedUnion('task', [ClassificationConfig, DistillationConfig, EvaluationConfig, LabellingConfig])
  .superRefine(checkConfig);
export type RunConfig = z.infer<typeof RunConfig>;

/** The teachers that the run asks, or whose labels it looks up. */
export const teachersOf = (config: RunConfig): readonly TeacherSource[] =>
  'teachers' in config ? config.teachers : [];

/** The run whose weights are loaded at the beginning: those to go on training, or those to measure. Null for other starts. */
export function startingRun(config: RunConfig): string | null {
  if (config.task === 'labelling') return null;
  const start = config.task === 'evaluation' ? config.source : config.initialisation;
  return start.kind === 'run' ? start.runId : null;
}
