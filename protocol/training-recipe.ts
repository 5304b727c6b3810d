/**
 * How a network is trained besides its loss: optimiser, averages of weights, several batches to an update, mixed images. Every field
 * may be absent and then means what MEAL V2's reference code does: SGD, no averages, every batch an update, images as they are.
 */
import { z } from 'zod';

const Beta = z.number('Beta is a number.').min(0, 'Beta must be 0 or more.').lt(1, 'Beta must be below 1.');

/** AdamW as PyTorch computes it, with PyTorch's defaults. The momentum that SGD has plays no part in it. */
export const AdamWConfig = z.strictObject({
  beta1: Beta.default(0.9),
  beta2: Beta.default(0.999),
  epsilon: z.number().gt(0, 'Epsilon must be above 0.').max(1).default(1e-8),
});
export type AdamWConfig = z.infer<typeof AdamWConfig>;

/** What weight decay acts on: every parameter, or not on biases and batch norm's scales and shifts. */
export const DECAYED_PARAMETERS = ['all', 'kernels'] as const;
export const DecayedParameters = z.enum(DECAYED_PARAMETERS);

/** Moving averages of the weights, which are validated and saved. With warm-up the decay grows from 2/11 up to `decay`. */
export const WeightAverageConfig = z.strictObject({
  decay: z
    .number('The decay of averages is a number.')
    .gt(0, 'The decay of averages must be above 0.')
    .lt(1, 'The decay of averages must be below 1, which would keep the first weights for ever.'),
  warmup: z.boolean().default(true),
});
export type WeightAverageConfig = z.infer<typeof WeightAverageConfig>;

export const Accumulation = z
  .int('Batches to an update are a whole number.')
  .min(1, 'An update takes at least 1 batch.')
  .max(1024, 'An update takes at most 1024 batches.');

export const MIXINGS = ['cutmix', 'mixup'] as const;
/** A share drawn from Beta(alpha, alpha) for every batch, with this probability. */
export const MixingConfig = z.strictObject({
  kind: z.enum(MIXINGS),
  alpha: z.number('Alpha is a number.').gt(0, 'Alpha must be above 0.').max(100).default(1),
  probability: z.number().min(0).max(1, 'A probability is at most 1.').default(1),
});
export type MixingConfig = z.infer<typeof MixingConfig>;

/** Fields of every config that trains. */
export const recipeFields = {
  ema: WeightAverageConfig.optional(),
  accumulation: Accumulation.optional(),
  mixing: MixingConfig.optional(),
};
const RecipeFields = z.strictObject(recipeFields);
export type RecipeFields = z.infer<typeof RecipeFields>;
