/** The demo: teachers {one, both} x discriminator {off, on} x two input sizes x two seeds, on the digits that come along. */
import type { OptimizerConfig } from './run-config.ts';
import type { StudyDesign } from './study-design.ts';

export const DEMO_STUDY_NAME = 'Demo: handwritten digits';
export const DEMO_DATASET = 'digits';

const optimizer: OptimizerConfig = {
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 0,
  schedule: { kind: 'cosine', warmupEpochs: 0 },
};

export const DEMO_STUDY: StudyDesign = {
  version: 1,
  dataset: DEMO_DATASET,
  student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
  epochs: 8,
  batchSize: 64,
  optimizer,
  planned: [
    { key: 'teacher-a', network: 'resnet18_w32', inputSize: 28, epochs: 20, batchSize: 64, seed: 0, optimizer },
    { key: 'teacher-b', network: 'resnet34_w16', inputSize: 28, epochs: 20, batchSize: 64, seed: 0, optimizer },
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
    inputSize: [28, 32],
  },
  list: [],
  seeds: [0, 1],
};
