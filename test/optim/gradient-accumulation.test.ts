/** Several batches to one update against one batch of all their images. */
import type { Scalar, Tensor, Tensor1D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { tf } from '../../trainer/engine/tf.ts';
import { GradientAccumulation } from '../../trainer/optim/gradient-accumulation.ts';
import { createClassificationTask } from '../../trainer/train/classification.ts';
import type { Task } from '../../trainer/train/task.ts';
import type { UpdaterOptions } from '../../trainer/train/updater.ts';
import { on } from '../support/backends.ts';
import { createLinearNetwork } from '../support/linear-network.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const BACKENDS = [...new Set([backend, 'cpu'])];
const WEIGHTS = [
  [0.5, -1, 0.25],
  [-0.75, 0.5, 1],
  [1.5, 0, -0.5],
];
const SGD: UpdaterOptions = { momentum: 0.9, weightDecay: 0.01 };
const ADAMW: UpdaterOptions = { ...SGD, adamw: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } };
const IMAGES = 6;
const BATCHES = 3;

const weightsOf = (task: Task) => [...task.network.parameters.get('weight')!.dataSync()];
/** One-pixel images `from` to `to` of the six, in a round of their own. */
function runStep(task: Task, round: number, from: number, to: number): void {
  tf.tidy(() => {
    const places = Array.from({ length: to - from }, (_, i) => from + i);
    const colours = places.map((i) => [0, 1, 2].map((c) => ((7 * i + 5 * c + round) % 11) / 11));
    const images = tf.tensor4d(colours.flat(), [places.length, 1, 1, 3]) as Tensor4D;
    const labels = tf.tensor1d(
      places.map((i) => (i + round) % 3),
      'int32',
    ) as Tensor1D;
    task.step(images, labels, tf.scalar(0.1), {});
  });
}

describe.each(BACKENDS)('on backend %s', (name) => {
  test.each([
    ['SGD', SGD],
    ['AdamW', ADAMW],
  ])('%s: updates from three batches are those from one of all their images', async (_, options) => {
    await on(name, () => {
      const whole = createClassificationTask(createLinearNetwork(WEIGHTS), options);
      const parts = createClassificationTask(createLinearNetwork(WEIGHTS), { ...options, accumulation: BATCHES });
      for (let round = 0; round < 4; round++) {
        const before = weightsOf(parts);
        runStep(whole, round, 0, IMAGES);
        for (let k = 0; k < BATCHES; k++) {
          // Nothing moves before the last of them.
          expect(weightsOf(parts)).toEqual(before);
          runStep(parts, round, 2 * k, 2 * k + 2);
        }
        expect(weightsOf(parts)).not.toEqual(before);
        expectClose(weightsOf(parts), weightsOf(whole), 2e-6);
      }
      for (const task of [whole, parts]) task.dispose();
    });
  });
});

test('a restored task goes on in the middle of an update, to the bit', async () => {
  const options = { ...ADAMW, accumulation: BATCHES };
  const first = createClassificationTask(createLinearNetwork(WEIGHTS), options);
  for (let k = 0; k < 4; k++) runStep(first, 0, k, k + 2);
  const second = createClassificationTask(createLinearNetwork(WEIGHTS), options);
  second.network.loadStateDict(await first.network.toStateDict());
  second.loadState(await first.toState());
  for (const task of [first, second]) for (let k = 0; k < 2; k++) runStep(task, 1, k, k + 2);
  expect(weightsOf(second)).toEqual(weightsOf(first));
  expect(await second.toState()).toEqual(await first.toState());
  for (const task of [first, second]) task.dispose();
});

test('one batch that overflowed leaves out its whole update, and that update alone', () => {
  const weight = tf.tidy(() => tf.variable(tf.tensor1d([0])) as never) as Variable;
  const accumulation = new GradientAccumulation(new Map([['w', weight]]), 2);
  const outcomes = [1, 0, 1, 1].map((isFine) =>
    tf.tidy(() => {
      const gradient: Tensor = tf.tensor1d([isFine === 1 ? 4 : 0]);
      const { gradients, isDue, applies } = accumulation.add(new Map([['w', gradient]]), tf.scalar(isFine));
      return [isDue, applies, gradients.get('w')!].map((tensor) => (tensor as Scalar).dataSync()[0]) as never;
    }),
  );
  expect(outcomes).toEqual([
    [0, 0, 0],
    [1, 0, 0],
    [0, 0, 0],
    [1, 1, 4],
  ]);
  accumulation.dispose();
  weight.dispose();
});
