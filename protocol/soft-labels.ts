/** Where a student's soft labels come from. Absent means `online`: the teachers are asked in every step. */
import { z } from 'zod';
import type { MethodFields } from './distillation-method.ts';
import { HostLabels } from './host-labels.ts';
import { RunId } from './ids.ts';
import type { MixingConfig } from './training-recipe.ts';

/** Classes whose probabilities are kept of each label; the others share what is left evenly. */
export const KEPT_CLASSES = ['full', 5, 10] as const;

export const ViewsPerImage = z
  .int('Views per image are a whole number.')
  .min(1, 'There must be at least 1 view per image.')
  .max(10_000, 'At most 10,000 views per image.');

/** What labels are kept, whoever computes them. */
const labelFields = {
  /** Crops of each image that the epochs go through in turn. With at least as many as epochs, none comes twice. */
  viewsPerImage: ViewsPerImage,
  /** Decides the crops, in the place of the run's seed, so that runs of all seeds share them. */
  augmentationSeed: z
    .int('The augmentation seed is a whole number.')
    .min(0, 'The augmentation seed is 0 or more.')
    .max(2 ** 31 - 1, 'The augmentation seed is below 2,147,483,648.')
    .default(0),
  keep: z.literal(KEPT_CLASSES).default('full'),
};
const choosableFields = {
  ...labelFields,
  /**
   * Whether the teachers' logits are kept beside their probabilities; where a run needs them unless given. With it, runs without
   * a discriminator share labels with runs that have one.
   */
  logits: z.boolean().optional(),
};

/** What a run that only labels computes: every view of every training image. */
export const LabelOptions = z.strictObject({ ...labelFields, logits: z.boolean() });
export type LabelOptions = z.infer<typeof LabelOptions>;

const Online = z.strictObject({ mode: z.literal('online') });
const SharedLabels = z.strictObject({ mode: z.literal('cached'), ...choosableFields });

/** Of a run: looked up, and computed where they are missing. */
export const CachedLabels = SharedLabels.extend({
  /** The runs that have computed all of them, each its own set; their files are brought to whatever host needs them. */
  labelledBy: z.array(RunId).min(1).optional(),
});
export type CachedLabels = z.infer<typeof CachedLabels>;
export const SoftLabelsConfig = z.discriminatedUnion('mode', [Online, CachedLabels]);
export type SoftLabelsConfig = z.infer<typeof SoftLabelsConfig>;

/** Of a study: with `prefill` its first runs compute all labels that its students need, which then ask no teacher. */
export const PrefilledLabels = z.strictObject({
  mode: z.literal('prefill'),
  ...choosableFields,
  /** What a host must have to take the runs that label; any host may unless given. */
  hostLabels: HostLabels.optional(),
});
export type PrefilledLabels = z.infer<typeof PrefilledLabels>;
export const StudySoftLabels = z.discriminatedUnion('mode', [Online, SharedLabels, PrefilledLabels]);
export type StudySoftLabels = z.infer<typeof StudySoftLabels>;

/** What of a distillation's fields is looked at here. */
export interface LabelledFields extends MethodFields {
  softLabels?: SoftLabelsConfig | StudySoftLabels | undefined;
  discriminator: boolean;
  mixing?: MixingConfig | undefined;
}

/** Whether a step needs the teachers' mean logits besides their soft label. */
export function needsLogits({ discriminator, discriminatorOptions }: LabelledFields): boolean {
  return discriminator && discriminatorOptions?.inputs !== 'probabilities';
}

/** A sentence when labels cannot be kept for what the other fields ask for, else null. */
export function explainUncacheable(fields: LabelledFields): string | null {
  const { softLabels, mixing, ensemble } = fields;
  if (softLabels === undefined || softLabels.mode === 'online') return null;
  if (mixing !== undefined)
    return 'Mixed images are never the same twice, so their soft labels cannot be kept: leave the mixing out, or ask the teachers online.';
  if (ensemble === 'random-teacher')
    return 'A teacher drawn for each batch gives no label that another run could use: choose another ensemble, or ask the teachers online.';
  if (softLabels.logits === false && needsLogits(fields))
    return 'The discriminator takes logits, which are not kept here: keep them, or let it take probabilities.';
  return null;
}
