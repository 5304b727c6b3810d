/** Moving averages against their recurrence in doubles. */
import type { Variable } from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { tf } from '../../trainer/engine/tf.ts';
import { WeightAverage, type WeightAverageOptions } from '../../trainer/optim/weight-average.ts';
import { on } from '../support/backends.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const BACKENDS = [...new Set([backend, 'cpu'])];

const variable = (values: number[]) => tf.tidy(() => tf.variable(tf.tensor1d(values)) as never) as Variable;
const WEIGHTS = Array.from({ length: 40 }, (_, step) => [Math.sin(step), step / 8]);

/** The averages after each step. */
function averagesOf(options: WeightAverageOptions): number[][] {
  const [weight, average] = [variable([1, -1]), variable([1, -1])];
  const averages = new WeightAverage([{ weight, average, isTrained: true }], options);
  const results = WEIGHTS.map((values) => {
    tf.tidy(() => weight.assign(tf.tensor1d(values)));
    averages.update();
    return [...average.dataSync()];
  });
  averages.dispose();
  tf.dispose([weight, average]);
  return results;
}
/** The recurrence with the decay of each update, 1-based; null stands still. */
function recurrence(decayAt: (step: number) => number | null): number[][] {
  let average = [1, -1];
  return WEIGHTS.map((values, i) => {
    const decay = decayAt(i + 1) ?? 1;
    average = average.map((a, k) => decay * a + (1 - decay) * values[k]!);
    return average;
  });
}

test.each([
  ['one decay', { decay: 0.9, warmup: false }, () => 0.9],
  [
    'a warm-up: 2/11, 3/12, ... up to it',
    { decay: 0.75, warmup: true },
    (t: number) => Math.min(0.75, (1 + t) / (10 + t)),
  ],
  [
    'three steps to an update',
    { decay: 0.9, warmup: true, stepsPerUpdate: 3 },
    (step: number) => (step % 3 === 0 ? Math.min(0.9, (1 + step / 3) / (10 + step / 3)) : null),
  ],
] as const)('%s', async (_, options, decayAt) => {
  for (const name of BACKENDS)
    await on(name, () => expectClose(averagesOf(options).flat(), recurrence(decayAt).flat(), 2e-6));
});

test('the warm-up goes on where a checkpoint left it', async () => {
  const [weight, average] = [variable([2, 4]), variable([0, 0])];
  const pairs = [{ weight, average, isTrained: true }];
  const options = { decay: 0.9999, warmup: true };
  const [first, second] = [new WeightAverage(pairs, options), new WeightAverage(pairs, options)];
  for (let t = 0; t < 3; t++) first.update();
  second.loadState(await first.toState());
  tf.tidy(() => average.assign(tf.zeros([2])));
  second.update();
  // 1 - (1 + 4) / (10 + 4).
  expectClose(
    average.dataSync(),
    [2, 4].map((value) => (value * 9) / 14),
    1e-6,
  );
  expect(await second.toState()).toEqual(new Map([['steps', { dtype: 'F32', shape: [], data: Float32Array.of(4) }]]));
  for (const averages of [first, second]) averages.dispose();
  tf.dispose([weight, average]);
});
