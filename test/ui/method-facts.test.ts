/** A run's settings list what is not as in MEAL V2, and only that. */
import { TrainingConfig } from '@mealtable/protocol/run-config';
import { expect, it } from 'vitest';
import { methodFacts } from '../../components/run/method-facts.ts';

const RUN = `run_${'a'.repeat(22)}`;
const plain = {
  version: 1,
  task: 'distillation',
  dataset: 'digits',
  network: 'resnet18_w8',
  initialisation: { kind: 'random' },
  inputSize: 32,
  epochs: 1,
  batchSize: 8,
  seed: 0,
  optimizer: { learningRate: 0.1 },
  teachers: [
    { kind: 'run', runId: RUN },
    { kind: 'pretrained', weights: 'resnet50.ram_in1k' },
  ],
  discriminator: true,
};

it('lists nothing for MEAL V2 itself, said or not', () => {
  expect(methodFacts(TrainingConfig.parse(plain))).toEqual([]);
  const said = { ...plain, ensemble: 'mean-probability', temperature: 1, accumulation: 1, labelSmoothing: 0 };
  expect(methodFacts(TrainingConfig.parse(said))).toEqual([]);
});

it('lists every choice that differs', () => {
  const config = TrainingConfig.parse({
    ...plain,
    teachers: [{ kind: 'run', runId: RUN, weight: 3 }, plain.teachers[1]],
    ensemble: 'random-teacher',
    temperature: 4,
    hardLabelWeight: 0.5,
    labelSmoothing: 0.1,
    discriminatorOptions: { gradient: 'reversal', learningRateFactor: 0.01, finalRelu: false, inputs: 'probabilities' },
    mixing: { kind: 'mixup', alpha: 0.2 },
    accumulation: 8,
    ema: { decay: 0.999 },
  });
  expect(methodFacts(config)).toEqual([
    ['Weights of teachers', '3 : 1'],
    ['Ensemble', 'random teacher'],
    ['Temperature', '4'],
    ['Weight of hard labels', '0.5'],
    ['Discriminator’s gradient', 'reversed: the student learns against it'],
    ['Discriminator reads', 'probabilities'],
    ['Discriminator’s learning rate', '× 0.01'],
    ['Discriminator’s last ReLU', 'None'],
    ['Label smoothing', '0.1'],
    ['Mixed images', 'Mixup α 0.2'],
    ['Batches to an update', '8'],
    ['Averaged weights', 'EMA 0.999'],
  ]);
});

it('says which soft labels a run shares with others', () => {
  const factsOf = (softLabels: object) => methodFacts(TrainingConfig.parse({ ...plain, softLabels }));
  expect(factsOf({ mode: 'online' })).toEqual([]);
  expect(factsOf({ mode: 'cached', viewsPerImage: 4, augmentationSeed: 2, keep: 10 })).toEqual([
    ['Soft labels', 'cached: 4 crops per image, augmentation seed 2, the 10 most probable classes'],
  ]);
});
