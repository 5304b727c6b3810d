/** SGD and AdamW against PyTorch's numbers: eager, captured and on the plain backend. */
import { readFileSync } from 'node:fs';
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { capture } from '../../trainer/engine/capture.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createOptimizer, type OptimizerOptions } from '../../trainer/optim/create-optimizer.ts';
import type { DecayedParameters, Optimizer } from '../../trainer/optim/optimizer.ts';
import { on } from '../support/backends.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const BACKENDS = [...new Set([backend, 'cpu'])];

interface Case {
  optimizer: 'sgd' | 'adamw';
  weightDecay: number;
  decayed: DecayedParameters;
  weights: Record<string, number[]>;
}
const reference = JSON.parse(readFileSync(new URL('optimizer-reference.json', import.meta.url), 'utf8')) as {
  rates: number[];
  factor: number;
  cases: Case[];
};
const CASES = reference.cases.map((entry): [string, Case] => [
  `${entry.optimizer}, weight decay ${entry.weightDecay} on ${entry.decayed}`,
  entry,
]);
const SHAPES = Object.entries({ 'network.weight': [2, 3], 'network.bias': [3], 'discriminator.weight': [3, 2] });

/** As in make_optimizer_reference.py. */
function pattern(shape: number[], factor: number, shift: number, modulus: number, scale: number): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Array.from(
    { length: count },
    (_, i) => (((factor * i + shift) % modulus) - Math.floor(modulus / 2)) / scale,
  );
  return tf.tensor(values, shape);
}
const makeParameters = () =>
  new Map(
    SHAPES.map(([name, shape], p) => [
      name,
      tf.tidy(() => tf.variable(pattern(shape, 5, 3 * p, 7, 4)) as never) as Variable,
    ]),
  );
const gradientsAt = (t: number) =>
  Object.fromEntries(SHAPES.map(([name, shape], p) => [name, pattern(shape, 7, 3 * t + p, 11, 8)]));
const optionsOf = ({ optimizer, weightDecay, decayed }: Omit<Case, 'weights'>): OptimizerOptions => ({
  momentum: 0.9,
  weightDecay,
  decayedParameters: decayed,
  rateFactors: { 'discriminator.': reference.factor },
  ...(optimizer === 'adamw' ? { adamw: { beta1: 0.8, beta2: 0.99, epsilon: 1e-3 } } : {}),
});
const ADAMW = optionsOf({ optimizer: 'adamw', weightDecay: 0.1, decayed: 'all' });

const numbersOf = (variables: Iterable<Variable>) => [...variables].map((variable) => [...variable.dataSync()]);
const stepEagerly = (optimizer: Optimizer, t: number, rate = reference.rates[t]!) =>
  tf.tidy(() => optimizer.step(new Map(Object.entries(gradientsAt(t))), tf.scalar(rate)));

function expectWeights(parameters: Map<string, Variable>, weights: Case['weights']): void {
  for (const [name, expected] of Object.entries(weights)) expectClose(parameters.get(name)!.dataSync(), expected, 2e-6);
}

describe.each(BACKENDS)('on backend %s', (name) => {
  test.each(CASES)('%s: weights are those of torch.optim', async (_, entry) => {
    await on(name, () => {
      const parameters = makeParameters();
      const optimizer = createOptimizer(parameters, optionsOf(entry));
      for (const t of reference.rates.keys()) stepEagerly(optimizer, t);
      expectWeights(parameters, entry.weights);
      optimizer.dispose();
      tf.dispose([...parameters.values()]);
    });
  });
});

describe.runIf(backend === 'tensorflow')('captured', () => {
  function captureSteps(parameters: Map<string, Variable>, optimizer: Optimizer) {
    const inputs = {
      ...(tf.tidy(() => gradientsAt(0) as never) as Record<string, Tensor>),
      rate: tf.scalar(0),
      applies: tf.scalar(1),
    };
    const step = ({ rate, applies, ...gradients }: Record<string, Tensor>) => {
      optimizer.step(new Map(Object.entries(gradients)), rate as Scalar, applies as Scalar);
      return { rate: rate!.clone() };
    };
    const variables = [...parameters.values(), ...optimizer.variables];
    const captured = capture(step, { inputs, variables });
    tf.dispose(inputs);
    const run = (t: number, applies: number) =>
      tf.tidy(() => {
        const gradients = applies === 1 ? gradientsAt(t) : tf.tidy(() => gradientsOfZero() as never);
        captured.run({
          ...(gradients as Record<string, Tensor>),
          rate: tf.scalar(reference.rates[t]!),
          applies: tf.scalar(applies),
        });
      });
    return { run, captured };
  }
  const gradientsOfZero = () => Object.fromEntries(SHAPES.map(([name, shape]) => [name, tf.zeros(shape)]));

  test.each(CASES)('%s: the same, and updates that are left out change nothing, the first one too', (_, entry) => {
    const parameters = makeParameters();
    const optimizer = createOptimizer(parameters, optionsOf(entry));
    const { run, captured } = captureSteps(parameters, optimizer);
    const everything = () => {
      captured.pull();
      return numbersOf([...parameters.values(), ...optimizer.variables]);
    };
    const initial = everything();
    run(0, 0);
    expect(everything()).toEqual(initial);
    for (const t of reference.rates.keys()) {
      run(t, 1);
      if (t !== 3) continue;
      const before = everything();
      run(t, 0);
      expect(everything()).toEqual(before);
    }
    captured.pull();
    expectWeights(parameters, entry.weights);
    captured.dispose();
    optimizer.dispose();
    tf.dispose([...parameters.values()]);
  });
});

test('AdamW: a parameter without a gradient stays as it is, decay or not', () => {
  const parameters = makeParameters();
  const optimizer = createOptimizer(parameters, ADAMW);
  const before = numbersOf(parameters.values());
  tf.tidy(() => {
    const gradients = new Map<string, Tensor | null>(Object.entries(gradientsAt(0)));
    gradients.set('network.bias', null).delete('network.weight');
    optimizer.step(gradients, tf.scalar(0.1));
  });
  const after = numbersOf(parameters.values());
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(after[2]).not.toEqual(before[2]);
  optimizer.dispose();
  tf.dispose([...parameters.values()]);
});

test('AdamW: a restored optimiser goes on to the bit, under PyTorch’s names for its slots', async () => {
  const [first, second] = [makeParameters(), makeParameters()];
  const [one, two] = [createOptimizer(first, ADAMW), createOptimizer(second, ADAMW)];
  for (let t = 0; t < 3; t++) stepEagerly(one, t);
  for (const [name, variable] of second) variable.assign(first.get(name)!);
  const state = await one.toState();
  expect([...state.keys()].sort()).toEqual(
    [...['exp_avg', 'exp_avg_sq'].flatMap((slot) => SHAPES.map(([name]) => `${slot}.${name}`)), 'step'].sort(),
  );
  expect(state.get('step')!.data).toEqual(Float32Array.of(3));
  two.loadState(state);
  for (const optimizer of [one, two]) stepEagerly(optimizer, 3);
  expect(numbersOf(second.values())).toEqual(numbersOf(first.values()));
  expect(await two.toState()).toEqual(await one.toState());
  const sgd = createOptimizer(second, { momentum: 0.9, weightDecay: 0 });
  const velocities = await sgd.toState();
  expect(() => two.loadState(velocities)).toThrow(/missing exp_avg\.network\.weight/);
  for (const optimizer of [one, two, sgd]) optimizer.dispose();
  tf.dispose([...first.values(), ...second.values()]);
});
