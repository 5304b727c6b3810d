import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { capture } from '../../trainer/engine/capture.ts';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { LossScale, onlyIf } from '../../trainer/engine/loss-scale.ts';
import { tf } from '../../trainer/engine/tf.ts';
import type { StateDict } from '../../trainer/weights/state-dict.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
/** Both ways of computing, where there are two. */
const BACKENDS = [...new Set([backend, 'cpu'])];

async function on<T>(name: string, work: () => T): Promise<T> {
  const previous = tf.getBackend();
  await tf.setBackend(name);
  try {
    return work();
  } finally {
    await tf.setBackend(previous);
  }
}

const variable = (values: number[]): Variable => tf.tidy(() => tf.variable(tf.tensor1d(values)));
const numbers = (tensor: Tensor): number[] => [...tensor.dataSync()];
const scalarOf = (tensor: Tensor): number => numbers(tensor)[0]!;

/** The scale after each update, where `outcomes` says which updates had finite gradients. */
function scalesAfter(lossScale: LossScale, outcomes: readonly boolean[]): number[] {
  return outcomes.map((applies) =>
    tf.tidy(() => {
      lossScale.update(tf.scalar(applies ? 1 : 0));
      return scalarOf(lossScale.variables[0]!) as never;
    }),
  );
}

describe.each(BACKENDS)('on backend %s', (name) => {
  test('the scale starts at 65536, halves at every overflow and doubles after 2000 updates without one', async () => {
    await on(name, () => {
      const lossScale = new LossScale();
      expect(scalarOf(lossScale.variables[0]!)).toBe(65536);
      expect(scalesAfter(lossScale, [false, false])).toEqual([32768, 16384]);
      const almostDue: StateDict = new Map([
        ['scale', { dtype: 'F32', shape: [], data: Float32Array.of(16384) }],
        ['growth_steps', { dtype: 'F32', shape: [], data: Float32Array.of(1997) }],
      ]);
      lossScale.loadState(almostDue);
      expect(scalesAfter(lossScale, [true, true, true, true])).toEqual([16384, 16384, 32768, 32768]);
      lossScale.dispose();
    });
  });

  test('an overflow begins the count anew, and growth stops at the end of float32', async () => {
    await on(name, () => {
      const lossScale = new LossScale({ growthInterval: 2, initialScale: 8 });
      expect(scalesAfter(lossScale, [true, false, true, true, true, true])).toEqual([8, 4, 4, 8, 8, 16]);
      lossScale.dispose();
      const largest = new LossScale({ growthInterval: 1, initialScale: 2 ** 127 });
      expect(scalesAfter(largest, [true, true])).toEqual([2 ** 127, 2 ** 127]);
      largest.dispose();
    });
  });

  test('the loss keeps its value, its gradient is scaled, and unscaling gives the gradient back', async () => {
    await on(name, () => {
      const lossScale = new LossScale({ initialScale: 1024 });
      const weight = variable([1, -2]);
      const parameters = new Map([
        ['used', weight],
        ['unused', lossScale.variables[1] as Variable],
      ]);
      tf.tidy(() => {
        const { values, gradients } = computeGradients(parameters, () => ({
          loss: lossScale.scaleGradient(weight.square().sum()),
        }));
        expect(scalarOf(values.loss)).toBe(5);
        expect(numbers(gradients.get('used')!)).toEqual([2048, -4096]);
        const unscaled = lossScale.unscale(gradients);
        expect(numbers(unscaled.gradients.get('used')!)).toEqual([2, -4]);
        expect(unscaled.gradients.get('unused')).toBeNull();
        expect(scalarOf(unscaled.applies)).toBe(1);
      });
      tf.dispose(weight);
      lossScale.dispose();
    });
  });

  test.each([
    ['infinity', Infinity],
    ['minus infinity', -Infinity],
    ['no number', NaN],
  ])('one %s among the gradients makes all of them 0 and the numbers of the update neutral', async (_, bad) => {
    await on(name, () => {
      const lossScale = new LossScale();
      tf.tidy(() => {
        const gradients = new Map([
          ['a', tf.tensor1d([1, 2])],
          ['b', tf.tensor1d([3, bad])],
        ]);
        const unscaled = lossScale.unscale(gradients);
        expect(scalarOf(unscaled.applies)).toBe(0);
        expect([...unscaled.gradients.values()].map((gradient) => numbers(gradient!))).toEqual([
          [0, 0],
          [0, 0],
        ]);
        expect(scalarOf(onlyIf(unscaled.applies, tf.scalar(0.1), 0))).toBe(0);
        expect(scalarOf(onlyIf(unscaled.applies, tf.scalar(0.9), 1))).toBe(1);
        expect(scalarOf(onlyIf(tf.scalar(1), tf.scalar(0.9), 1))).toBeCloseTo(0.9, 6);
      });
      lossScale.dispose();
    });
  });
});

test('state goes out and comes in under stable names', async () => {
  const lossScale = new LossScale({ growthInterval: 5 });
  scalesAfter(lossScale, [false, true, true]);
  const state = await lossScale.toState();
  expect([...state].map(([name, { data }]) => [name, data[0]])).toEqual([
    ['scale', 32768],
    ['growth_steps', 2],
  ]);
  const other = new LossScale({ growthInterval: 5 });
  other.loadState(state);
  expect(scalesAfter(other, [true, true, true])).toEqual([32768, 32768, 65536]);
  for (const part of [lossScale, other]) part.dispose();
});

test.runIf(backend === 'tensorflow')(
  'a captured step decides anew each time: overflow, no update, smaller scale',
  () => {
    const lossScale = new LossScale();
    const weight = variable([1]);
    const step = ({ x }: { x: Tensor }) => {
      const { values, gradients } = computeGradients(new Map([['weight', weight]]), () => ({
        loss: lossScale.scaleGradient(weight.mul(x).sum() as Scalar),
      }));
      const { gradients: unscaled, applies } = lossScale.unscale(gradients);
      weight.assign(weight.sub(unscaled.get('weight')!));
      lossScale.update(applies);
      return { loss: values.loss };
    };
    const feed = (value: number) => ({ x: tf.tensor1d([value]) });
    const example = feed(0.25);
    const captured = capture(step, { inputs: example, variables: [weight, ...lossScale.variables] });
    const outcomes = [0.25, 1e35, 0.25].map((value) => {
      const inputs = feed(value);
      tf.dispose([inputs, captured.run(inputs)] as never);
      captured.pull();
      return [scalarOf(weight), scalarOf(lossScale.variables[0]!)];
    });
    expect(outcomes).toEqual([
      [0.75, 65536],
      [0.75, 32768],
      [0.5, 32768],
    ]);
    captured.dispose();
    lossScale.dispose();
    tf.dispose([weight, example] as never);
  },
);
