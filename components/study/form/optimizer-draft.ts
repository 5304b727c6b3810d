/** The optimiser's fields while they are edited, and what they mean. */
import type { OptimizerConfig } from '@mealtable/protocol/run-config';
import { AdamWConfig } from '@mealtable/protocol/training-recipe';
import { toGivenNumber, toNumber, toNumbers } from './typed-numbers.ts';

export interface OptimizerDraft {
  kind: 'sgd' | 'adamw';
  learningRate: string;
  /** Of SGD. */
  momentum: string;
  /** Of AdamW. */
  beta1: string;
  beta2: string;
  epsilon: string;
  weightDecay: string;
  decayedParameters: NonNullable<OptimizerConfig['decayedParameters']>;
  schedule: 'constant' | 'step' | 'cosine';
  /** "60, 120" */
  dropAtEpochs: string;
  factor: string;
  warmupEpochs: string;
}

const adamwDraft = (config: AdamWConfig) => ({
  beta1: String(config.beta1),
  beta2: String(config.beta2),
  epsilon: String(config.epsilon),
});

export const newOptimizer = (): OptimizerDraft => ({
  kind: 'sgd',
  learningRate: '0.01',
  momentum: '0.9',
  ...adamwDraft(AdamWConfig.parse({})),
  weightDecay: '0',
  decayedParameters: 'all',
  schedule: 'cosine',
  dropAtEpochs: '',
  factor: '0.1',
  warmupEpochs: '0',
});

export function optimizerDraft(optimizer: OptimizerConfig): OptimizerDraft {
  const { schedule, adamw } = optimizer;
  return {
    ...newOptimizer(),
    kind: adamw ? 'adamw' : 'sgd',
    learningRate: String(optimizer.learningRate),
    momentum: String(optimizer.momentum),
    ...(adamw && adamwDraft(adamw)),
    weightDecay: String(optimizer.weightDecay),
    decayedParameters: optimizer.decayedParameters ?? 'all',
    schedule: schedule.kind,
    ...(schedule.kind === 'step' && {
      dropAtEpochs: schedule.dropAtEpochs.join(', '),
      factor: String(schedule.factor),
    }),
    ...(schedule.kind !== 'constant' && { warmupEpochs: String(schedule.warmupEpochs ?? 0) }),
  };
}

/** Has the shape of an OptimizerConfig, with holes and NaN where something is missing or no number: for zod to say so. */
export function optimizerInput(draft: OptimizerDraft) {
  const warmupEpochs = toGivenNumber(draft.warmupEpochs);
  const schedule = {
    constant: () => ({ kind: 'constant' as const }),
    step: () => ({
      kind: 'step' as const,
      dropAtEpochs: toNumbers(draft.dropAtEpochs),
      factor: toNumber(draft.factor),
      ...(warmupEpochs !== 0 && { warmupEpochs }),
    }),
    cosine: () => ({ kind: 'cosine' as const, warmupEpochs }),
  }[draft.schedule]();
  return {
    learningRate: toNumber(draft.learningRate),
    // AdamW has none, but every config has the field.
    momentum: draft.kind === 'sgd' ? toGivenNumber(draft.momentum) : Number(newOptimizer().momentum),
    weightDecay: toGivenNumber(draft.weightDecay),
    ...(draft.decayedParameters !== 'all' && { decayedParameters: draft.decayedParameters }),
    ...(draft.kind === 'adamw' && {
      adamw: {
        beta1: toGivenNumber(draft.beta1),
        beta2: toGivenNumber(draft.beta2),
        epsilon: toGivenNumber(draft.epsilon),
      },
    }),
    schedule,
  };
}
