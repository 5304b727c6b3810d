/** Each choice of the training recipe: captured steps equal eager ones. */
import type { Tensor } from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { capture } from '../../trainer/engine/capture.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { withAverage } from '../../trainer/train/averaged-task.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import { withMixing } from '../../trainer/train/mixed-task.ts';
import type { Task } from '../../trainer/train/task.ts';
import type { UpdaterOptions } from '../../trainer/train/updater.ts';
import { on } from '../support/backends.ts';
import { makeInputs, numbersOf, relativeDifference, type StepInputs, stepOf } from '../support/captured-steps.ts';
import { createLinearNetwork } from '../support/linear-network.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const STEPS = 20;
const [BATCH, SIZE, CLASSES, RATE] = [6, 16, 3, 0.002];
const SGD: UpdaterOptions = { momentum: 0.9, weightDecay: 1e-3 };
// An epsilon that is small beside the gradients: their rounding must not decide an update's sign.
const ADAMW: UpdaterOptions = { ...SGD, adamw: { beta1: 0.9, beta2: 0.99, epsilon: 1e-2 } };
const createTestNetwork = () => createNetwork('resnet18_w8', CLASSES, Rng.seeded(3));
const classify = (options: UpdaterOptions) => createClassificationTask(createTestNetwork(), options);
const average = (task: Task, stepsPerUpdate = 1) =>
  withAverage(task, createTestNetwork(), { decay: 0.99, warmup: true, stepsPerUpdate });

test.runIf(backend === 'tensorflow').each<[string, () => Task]>([
  ['AdamW', () => classify(ADAMW)],
  ['three batches to an update', () => classify({ ...SGD, accumulation: 3 })],
  ['CutMix', () => withMixing(classify(SGD), { kind: 'cutmix', alpha: 1, probability: 0.5 }, 1, SIZE)],
  [
    'Mixup and averages of weights',
    () => withMixing(average(classify(SGD)), { kind: 'mixup', alpha: 0.2, probability: 1 }, 1, SIZE),
  ],
  [
    'all of it in float16’s way, with a loss scale',
    () =>
      withMixing(
        average(classify({ ...ADAMW, accumulation: 2, precision: 'float16' }), 2),
        { kind: 'cutmix', alpha: 1, probability: 1 },
        1,
        SIZE,
      ),
  ],
])('%s: a captured step equals the eager one over 20 steps', (_, create) => {
  const [eager, graph] = [create(), create()];
  const given = makeInputs(BATCH, SIZE, CLASSES, RATE);
  const inputsAt = (task: Task, step: number) => ({ ...given, ...task.inputsAt?.(step, BATCH) }) as StepInputs;
  const first = inputsAt(graph, 0);
  const captured = capture(stepOf(graph), { inputs: first, variables: graph.variables });
  const lossesOf = (task: Task, run: (inputs: StepInputs) => Record<string, Tensor>) =>
    Array.from({ length: STEPS }, (_, step) =>
      tf.tidy(() => run(inputsAt(task, step)).loss!.dataSync()[0] as never),
    ) as number[];
  const expected = lossesOf(eager, stepOf(eager));
  const actual = lossesOf(graph, (inputs) => captured.run(inputs));
  captured.pull();
  for (const [step, loss] of expected.entries())
    expect(Math.abs(actual[step]! - loss), `loss of step ${step}`).toBeLessThanOrEqual(1e-5 * loss);
  expect(relativeDifference(numbersOf(graph), numbersOf(eager))).toBeLessThanOrEqual(1e-4);
  // Networks moved: otherwise equal numbers would mean nothing.
  expect(new Set(expected).size).toBeGreaterThan(STEPS / 4);
  captured.dispose();
  tf.dispose([given, first]);
  for (const task of [eager, graph]) task.dispose();
});

test('AdamW, accumulation, CutMix and averages compute the same on the plain backend', async () => {
  const weights = [
    [0.5, -1, 0.25],
    [-0.75, 0.5, 1],
    [1.5, 0, -0.5],
  ];
  const results = async (name: string) =>
    on(name, () => {
      const bare = createClassificationTask(createLinearNetwork(weights), { ...ADAMW, accumulation: 2 });
      const options = { decay: 0.9, warmup: true, stepsPerUpdate: 2 };
      const averaged = withAverage(bare, createLinearNetwork(weights), options);
      const task = withMixing(averaged, { kind: 'cutmix', alpha: 1, probability: 1 }, 5, SIZE);
      const given = makeInputs(BATCH, SIZE, CLASSES, 0.1);
      for (let step = 0; step < 6; step++)
        tf.tidy(() => {
          stepOf(task)({ ...given, ...task.inputsAt!(step, BATCH) });
        });
      const numbers = numbersOf(task);
      tf.dispose(given);
      task.dispose();
      return numbers;
    });
  expect(relativeDifference(await results('cpu'), await results(backend))).toBeLessThanOrEqual(1e-5);
});

test('averages follow the weights that a captured step has just made', () => {
  const task = average(classify(SGD));
  const inputs = makeInputs(BATCH, SIZE, CLASSES, 0.05);
  const [weight, averaged] = [task.network, task.averaged!].map(({ parameters }) => parameters.get('fc.weight')!);
  const before = averaged!.dataSync().slice();
  tf.dispose(tf.tidy(() => stepOf(task)(inputs) as never) as Record<string, Tensor>);
  const [now, mean] = [weight!.dataSync(), averaged!.dataSync()];
  const share = 9 / 11;
  expect(
    [...mean].map((value, i) => Math.abs(value - (before[i]! + share * (now[i]! - before[i]!)))).every((d) => d < 1e-6),
  ).toBe(true);
  expect(now).not.toEqual(before);
  tf.dispose(inputs);
  task.dispose();
});
