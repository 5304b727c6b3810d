/**
 * The demo: teachers {one, both} x discriminator {off, on} x two input sizes x two seeds, on the digits that come along.
 * At this scale a network reads digits only at about the size it was trained at (a teacher of 28 pixels has 94 % there, 92 %
 * at 30, 43 % at 24), so the two sizes lie close together. One budget for all: 8 epochs, batches of 32, the same learning rate.
 */
import type { OptimizerConfig } from './run-config.ts';
import type { StudyDesign } from './study-design.ts';

export const DEMO_STUDY_NAME = 'Demo: handwritten digits';
export const DEMO_DATASET = 'digits';

const optimizer: OptimizerConfig = {
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0,
  schedule: { kind: 'cosine', warmupEpochs: 1 },
};
const budget = { epochs: 8, batchSize: 32, optimizer };

export const DEMO_STUDY: StudyDesign = {
  version: 1,
  dataset: DEMO_DATASET,
  student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
  ...budget,
  precision: 'float32',
  planned: [
    { key: 'teacher-a', network: 'resnet18_w16', inputSize: 28, seed: 1, ...budget },
    { key: 'teacher-b', network: 'resnet34_w16', inputSize: 28, seed: 1, ...budget },
  ],
  baseline: true,
  design: 'full-factorial',
  factors: {
    teachers: [
      [{ kind: 'planned', key: 'teacher-a' }],
      [
        { kind: 'planned', key: 'teacher-a' },
        { kind: 'planned', key: 'teacher-b' },
      ],
    ],
    discriminator: [false, true],
    inputSize: [28, 30],
  },
  list: [],
  seeds: [0, 1],
};
