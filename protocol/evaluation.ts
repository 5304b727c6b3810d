/** What is known of an evaluation before it runs: how the images should be prepared, and what it ought to find. */
import { z } from 'zod';
import { IMAGENET_PREPROCESSING, type Preprocessing } from './network-spec.ts';
import { KNOWN_WEIGHTS, type KnownWeights } from './published-weights.ts';
import {
  DatasetName,
  EvaluationBatchSize,
  EvaluationPreprocessing,
  EvaluationSource,
  InputSize,
} from './run-config.ts';

/** What the API takes. */
export const NewEvaluation = z.strictObject({
  source: EvaluationSource,
  dataset: DatasetName,
  inputSize: InputSize,
  batchSize: EvaluationBatchSize.default(64),
  /** Left out: as the weights were published, or as networks are trained here. */
  preprocessing: EvaluationPreprocessing.optional(),
});
export type NewEvaluation = z.infer<typeof NewEvaluation>;

/** How networks trained here see their validation images, whatever the dataset. */
export const OWN_PREPROCESSING: EvaluationPreprocessing = {
  cropFraction: 224 / 256,
  interpolation: 'bilinear',
  mean: [...IMAGENET_PREPROCESSING.mean],
  std: [...IMAGENET_PREPROCESSING.std],
};

const withoutSize = ({ cropFraction, interpolation, mean, std }: Preprocessing): EvaluationPreprocessing => ({
  cropFraction,
  interpolation,
  mean: [...mean],
  std: [...std],
});

/** The preprocessing under which published weights reached their published accuracy, or that of runs trained here. */
export function usualPreprocessing(source: EvaluationSource): EvaluationPreprocessing {
  const known = source.kind === 'pretrained' ? KNOWN_WEIGHTS.get(source.weights) : undefined;
  return known ? withoutSize(known.published.preprocessing) : OWN_PREPROCESSING;
}

export interface Published {
  top1: number | null;
  top5: number | null;
  /** The input size that the numbers are for. */
  inputSize: number;
}

export function publishedResult({ published }: KnownWeights): Published {
  return { top1: published.top1, top5: published.top5, inputSize: published.preprocessing.inputSize };
}

/**
 * What a measurement may be held against: the published number when the size is that of the publication. On another dataset
 * than ImageNet the difference says something about the dataset, so the caller shows both.
 */
export function differenceTo(measured: number | null, published: number | null, sameSize: boolean): number | null {
  return measured === null || published === null || !sameSize ? null : measured - published;
}
