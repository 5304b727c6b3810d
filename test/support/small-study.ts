/** A study on the digits that trains in seconds: one teacher, then students with the discriminator off and on. */
import { DEMO_DATASET } from '@mealtable/protocol/demo-study';
import type { StudyDesign } from '@mealtable/protocol/study-design';

const optimizer = { learningRate: 0.05, momentum: 0.9, weightDecay: 0, schedule: { kind: 'constant' as const } };

export function smallStudy(changes: Partial<StudyDesign> = {}): StudyDesign {
  return {
    version: 1,
    dataset: DEMO_DATASET,
    student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
    epochs: 2,
    batchSize: 64,
    optimizer,
    precision: 'float32',
    planned: [{ key: 'teacher', network: 'resnet18_w8', inputSize: 16, epochs: 2, batchSize: 64, seed: 0, optimizer }],
    baseline: false,
    design: 'full-factorial',
    factors: {
      teachers: [[{ kind: 'planned', key: 'teacher' }]],
      discriminator: [false, true],
      inputSize: [16],
    },
    list: [],
    seeds: [0],
    ...changes,
  };
}
