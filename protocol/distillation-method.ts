/**
 * How teachers are put together and what the student minimises. Every field may be absent and then means what MEAL V2's reference
 * code computes, so that a config says only where it differs.
 */
import { z } from 'zod';

/**
 * `mean-probability` is MEAL V2's mean of softmaxes, `mean-logit` the softmax of the mean of logits, `random-teacher` MEAL V1's
 * one teacher per batch.
 */
export const ENSEMBLES = ['mean-probability', 'mean-logit', 'random-teacher'] as const;
export type EnsembleKind = (typeof ENSEMBLES)[number];

/** What the student is given of the discriminator's gradient: all of it, its opposite, or nothing. */
export const DISCRIMINATOR_GRADIENTS = ['cooperative', 'reversal', 'detached'] as const;
export type DiscriminatorGradient = (typeof DISCRIMINATOR_GRADIENTS)[number];

export const DISCRIMINATOR_INPUTS = ['logits', 'probabilities'] as const;

/** How much a teacher counts beside the others; only the ratios matter. */
export const TeacherWeight = z
  .number("A teacher's weight is a number.")
  .gt(0, "A teacher's weight must be above 0: leave the teacher out instead.")
  .max(1000, "A teacher's weight can be at most 1000.");

export const LabelSmoothing = z
  .number('Label smoothing is a number.')
  .min(0, 'Label smoothing must be 0 or more.')
  .lt(1, 'Label smoothing must be below 1, which would leave nothing of the label.');

export const DiscriminatorOptions = z.strictObject({
  gradient: z.enum(DISCRIMINATOR_GRADIENTS).optional(),
  /** The discriminator's learning rate as a multiple of the student's. */
  learningRateFactor: z
    .number("The discriminator's learning rate is a multiple of the student's.")
    .gt(0, "The factor of the discriminator's learning rate must be above 0.")
    .max(1000, "The factor of the discriminator's learning rate can be at most 1000.")
    .optional(),
  /** Whether a ReLU follows its last layer too. */
  finalRelu: z.boolean().optional(),
  inputs: z.enum(DISCRIMINATOR_INPUTS).optional(),
});
export type DiscriminatorOptions = z.infer<typeof DiscriminatorOptions>;

/** Fields of DistillationConfig, and of what a study gives all its students. */
export const methodFields = {
  ensemble: z.enum(ENSEMBLES).optional(),
  /** Teachers' and student's logits are divided by it in the similarity loss, which is multiplied by its square. */
  temperature: z
    .number('The temperature is a number.')
    .gt(0, 'The temperature must be above 0.')
    .max(100, 'A temperature above 100 makes all classes alike: use 100 or less.')
    .optional(),
  /** The share w in (1 - w) similarity loss + w hard-label loss. */
  hardLabelWeight: z
    .number('The weight of the hard labels is a number.')
    .min(0, 'The weight of the hard labels must be 0 or more.')
    .max(1, 'The weight of the hard labels can be at most 1, where the soft ones play no part any more.')
    .optional(),
  /** Of the hard labels. */
  labelSmoothing: LabelSmoothing.optional(),
  /**
   * Beside the boolean that switches the discriminator rather than in its place: stored configs and the studies' factor keep
   * their meaning, and a study can switch one and the same discriminator on and off.
   */
  discriminatorOptions: DiscriminatorOptions.optional(),
};
const MethodFields = z.strictObject(methodFields);
export type MethodFields = z.infer<typeof MethodFields>;

/** Every choice made. */
export interface DistillationMethod {
  ensemble: EnsembleKind;
  temperature: number;
  hardLabelWeight: number;
  labelSmoothing: number;
  discriminator: Required<DiscriminatorOptions>;
}

/** What absent fields mean: MEAL V2 as its reference code computes it. */
export const MEAL_V2: DistillationMethod = {
  ensemble: 'mean-probability',
  temperature: 1,
  hardLabelWeight: 0,
  labelSmoothing: 0,
  discriminator: { gradient: 'cooperative', learningRateFactor: 1, finalRelu: true, inputs: 'logits' },
};

/** @param fields those of a config or study; others that they carry are ignored */
export function methodOf(fields: MethodFields): DistillationMethod {
  const { discriminatorOptions: options = {} } = fields;
  const standard = MEAL_V2.discriminator;
  return {
    ensemble: fields.ensemble ?? MEAL_V2.ensemble,
    temperature: fields.temperature ?? MEAL_V2.temperature,
    hardLabelWeight: fields.hardLabelWeight ?? MEAL_V2.hardLabelWeight,
    labelSmoothing: fields.labelSmoothing ?? MEAL_V2.labelSmoothing,
    discriminator: {
      gradient: options.gradient ?? standard.gradient,
      learningRateFactor: options.learningRateFactor ?? standard.learningRateFactor,
      finalRelu: options.finalRelu ?? standard.finalRelu,
      inputs: options.inputs ?? standard.inputs,
    },
  };
}

/** A sentence when smoothing is asked for where no hard label is learnt from, else null. */
export function explainIdleSmoothing({ labelSmoothing, hardLabelWeight }: MethodFields): string | null {
  if (!labelSmoothing || hardLabelWeight) return null;
  return 'Label smoothing acts on hard labels, which have no weight here: give them one above 0, or leave the smoothing out.';
}
