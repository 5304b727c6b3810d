/**
 * The demos, on the digits that come along. At this scale a network reads digits only at about the size it was trained at (a teacher
 * of 28 pixels has 94 % there, 92 % at 30, 43 % at 24), so the two sizes lie close together. One budget for all: 8 epochs, batches of
 * 32, the same learning rate; three seeds, the fewest with which an interval says something.
 */
import type { OptimizerConfig } from './run-config.ts';
import type { StudyDesign } from './study-design.ts';

export const DEMO_DATASET = 'digits';

const optimizer: OptimizerConfig = {
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0,
  schedule: { kind: 'cosine', warmupEpochs: 1 },
};
const budget = { epochs: 8, batchSize: 32, optimizer };
const a = { kind: 'planned', key: 'teacher-a' } as const;
const b = { kind: 'planned', key: 'teacher-b' } as const;

const common = {
  version: 1,
  dataset: DEMO_DATASET,
  student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
  ...budget,
  precision: 'float32',
  planned: [
    { key: a.key, network: 'resnet18_w16', inputSize: 28, seed: 1, ...budget },
    { key: b.key, network: 'resnet34_w16', inputSize: 28, seed: 1, ...budget },
  ],
  list: [],
  seeds: [0, 1, 2],
} as const satisfies Partial<StudyDesign>;

/** Teachers {one, both} x discriminator {off, on} x two input sizes, and the student alone: the ablation of the paper. */
const ablation: StudyDesign = {
  ...structuredClone(common),
  baseline: true,
  design: 'full-factorial',
  factors: { teachers: [[a], [a, b]], discriminator: [false, true], inputSize: [28, 30] },
};

/** MEAL V2, and what becomes of it when one of its other choices is made differently. */
const choices: StudyDesign = {
  ...structuredClone(common),
  baseline: false,
  design: 'one-at-a-time',
  factors: {
    teachers: [[a, b], [a], [a, { ...b, weight: 3 }]],
    discriminator: [true, false, 'reversal', 'detached'],
    inputSize: [28],
    ensemble: ['mean-probability', 'mean-logit', 'random-teacher'],
    temperature: [1, 4],
    hardLabelWeight: [0, 0.5],
    mixing: [null, { kind: 'cutmix', alpha: 1, probability: 1 }],
    ema: [null, { decay: 0.98, warmup: true }],
  },
};

export const DEMO_NAMES = ['ablation', 'factors'] as const;
export type DemoName = (typeof DEMO_NAMES)[number];

export const DEMOS: Record<DemoName, { studyName: string; design: StudyDesign }> = {
  ablation: { studyName: 'Demo: handwritten digits', design: ablation },
  factors: { studyName: 'Demo: every factor on handwritten digits', design: choices },
};
