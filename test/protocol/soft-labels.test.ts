import { TrainingConfig } from '@mealtable/protocol/run-config';
import { expect, test } from 'vitest';

const CONFIG = {
  task: 'distillation',
  version: 1,
  dataset: 'digits',
  network: 'resnet18_w8',
  initialisation: { kind: 'random' },
  inputSize: 32,
  epochs: 2,
  batchSize: 4,
  seed: 1,
  optimizer: { learningRate: 0.1 },
  teachers: [{ kind: 'run', runId: `run_${'0'.repeat(22)}` }],
  discriminator: true,
};
const CACHED = { mode: 'cached', viewsPerImage: 4 };
const complaintsOf = (more: object) =>
  TrainingConfig.safeParse({ ...CONFIG, ...more }).error?.issues.map(({ message }) => message) ?? [];

test('soft labels are asked for online unless a config says otherwise', () => {
  expect(TrainingConfig.parse(CONFIG)).not.toHaveProperty('softLabels');
  expect(complaintsOf({ softLabels: { mode: 'online' } })).toEqual([]);
  expect(TrainingConfig.parse({ ...CONFIG, softLabels: CACHED })).toMatchObject({
    softLabels: { ...CACHED, augmentationSeed: 0, keep: 'full' },
  });
});

test('labels are not kept for what no other run could use', () => {
  const mixing = { kind: 'mixup' };
  expect(complaintsOf({ softLabels: CACHED, mixing })).toEqual([expect.stringMatching(/^Mixed images/)]);
  expect(complaintsOf({ softLabels: { mode: 'online' }, mixing })).toEqual([]);
  const ensemble = 'random-teacher';
  expect(complaintsOf({ softLabels: CACHED, ensemble })).toEqual([expect.stringMatching(/^A teacher drawn/)]);
});

test('a discriminator that takes logits needs them kept', () => {
  const softLabels = { ...CACHED, logits: false };
  expect(complaintsOf({ softLabels })).toEqual([expect.stringMatching(/^The discriminator takes logits/)]);
  expect(complaintsOf({ softLabels, discriminator: false })).toEqual([]);
  expect(complaintsOf({ softLabels, discriminatorOptions: { inputs: 'probabilities' } })).toEqual([]);
});

test.each([[{ viewsPerImage: 0 }], [{ keep: 7 }], [{ augmentationSeed: -1 }], [{ mode: 'prefill' }]])(
  '%o is no way to keep labels',
  (wrong) => {
    expect(complaintsOf({ softLabels: { ...CACHED, ...wrong } })).toHaveLength(1);
  },
);
