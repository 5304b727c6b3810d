import type { Variable } from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { tf } from '../../trainer/engine/tf.ts';
import { Sgd } from '../../trainer/optim/sgd.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

/** Two parameters, [1, -2] and [3]. */
function parameters(): Map<string, Variable> {
  const variable = (values: number[]) => tf.tidy(() => tf.variable(tf.tensor1d(values)) as Variable);
  return new Map([
    ['a', variable([1, -2])],
    ['b', variable([3])],
  ]);
}
const gradient = (a: number[], b: number[] | null) =>
  new Map([
    ['a', tf.tensor1d(a)],
    ['b', b === null ? null : tf.tensor1d(b)],
  ]);

test('momentum and weight decay are those of torch.optim.SGD, also when the learning rate changes', () => {
  const weights = parameters();
  const sgd = new Sgd(weights, { momentum: 0.9, weightDecay: 0.1 });
  // v = 0.9 v + (g + 0.1 w), w -= lr v, in doubles.
  const expected = { w: [1, -2, 3], v: [0, 0, 0] };
  const steps: [number[], number[], number][] = [
    [[0.5, 1], [-1], 0.1],
    [[0.25, -1], [2], 0.1],
    [[-3, 0.125], [0], 0.01],
  ];
  for (const [a, b, rate] of steps) {
    tf.tidy(() => sgd.step(gradient(a, b), tf.scalar(rate)));
    for (const [i, g] of [...a, ...b].entries()) {
      expected.v[i] = 0.9 * expected.v[i]! + (g + 0.1 * expected.w[i]!);
      expected.w[i] = expected.w[i]! - rate * expected.v[i]!;
    }
    expectClose([...weights.get('a')!.dataSync(), ...weights.get('b')!.dataSync()], expected.w, 1e-6);
  }
  sgd.dispose();
  tf.dispose([...weights.values()]);
});

test('a parameter without a gradient keeps its value and its velocity', () => {
  const weights = parameters();
  const sgd = new Sgd(weights, { momentum: 0.5, weightDecay: 0 });
  tf.tidy(() => sgd.step(gradient([1, 1], [1]), tf.scalar(1)));
  tf.tidy(() => sgd.step(gradient([1, 1], null), tf.scalar(1)));
  expect([...weights.get('b')!.dataSync()]).toEqual([2]);
  tf.tidy(() => sgd.step(gradient([0, 0], [0]), tf.scalar(1)));
  expect([...weights.get('b')!.dataSync()]).toEqual([1.5]);
  sgd.dispose();
  tf.dispose([...weights.values()]);
});

test('a restored optimiser goes on to the bit', async () => {
  const [first, second] = [parameters(), parameters()];
  const options = { momentum: 0.9, weightDecay: 0.01 };
  const one = new Sgd(first, options);
  tf.tidy(() => one.step(gradient([0.3, 0.7], [0.11]), tf.scalar(0.1)));
  for (const [name, variable] of second) variable.assign(first.get(name)!);
  const two = new Sgd(second, options);
  two.loadState(await one.toState());
  for (const sgd of [one, two]) tf.tidy(() => sgd.step(gradient([0.2, -0.4], [0.9]), tf.scalar(0.1)));
  for (const [name, variable] of second) expect(variable.dataSync()).toEqual(first.get(name)!.dataSync());
  expect(await two.toState()).toEqual(await one.toState());
  for (const sgd of [one, two]) sgd.dispose();
  tf.dispose([...first.values(), ...second.values()]);
});

test('a state of other parameters is refused with their names', () => {
  const weights = parameters();
  const sgd = new Sgd(weights, { momentum: 0.9, weightDecay: 0 });
  expect(() => sgd.loadState(new Map([['c', { dtype: 'F32', shape: [1], data: new Float32Array(1) }]]))).toThrow(
    'missing a, b; unexpected c',
  );
  sgd.dispose();
  tf.dispose([...weights.values()]);
});
