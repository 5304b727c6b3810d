import type { Tensor } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { activate, hardSigmoid, hardSwish, swish } from '../../trainer/engine/activations.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

/** Value and derivative by the definition, in double precision. */
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const relu6 = (x: number) => Math.min(Math.max(x, 0), 6);
const inside = (x: number) => (Math.abs(x) < 3 ? 1 : 0);
const DEFINITIONS = {
  swish: {
    op: swish,
    value: (x: number) => x * sigmoid(x),
    slope: (x: number) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  },
  'hard-swish': {
    op: hardSwish,
    value: (x: number) => (x * relu6(x + 3)) / 6,
    slope: (x: number) => (relu6(x + 3) + x * inside(x)) / 6,
  },
  'hard-sigmoid': {
    op: hardSigmoid,
    value: (x: number) => relu6(x + 3) / 6,
    slope: (x: number) => inside(x) / 6,
  },
};
/** Both flat ends, both bends from either side, and 0. */
const POINTS = [-20, -5, -3.01, -2.99, -1.5, -0.25, 0, 0.25, 1.5, 2.99, 3.01, 5, 20];

describe.each(Object.entries(DEFINITIONS))('%s', (_name, { op, value, slope }) => {
  test('has the value of its definition', () => {
    tf.tidy(() => {
      expectClose(op(tf.tensor1d(POINTS)).dataSync(), POINTS.map(value), 2e-6);
    });
  });

  test('passes the gradient on by its derivative', () => {
    tf.tidy(() => {
      const dy = POINTS.map((_, i) => 1 + i / 10);
      const gradient = tf.grad((x) => op(x))(tf.tensor1d(POINTS), tf.tensor1d(dy));
      expectClose(
        gradient.dataSync(),
        POINTS.map((x, i) => dy[i]! * slope(x)),
        2e-6,
      );
    });
  });

  test('keeps any shape, and leaves nothing behind', () => {
    const x = tf.ones([2, 3, 4, 5]);
    const y = op(x);
    const gradient = tf.grad((x) => op(x as Tensor))(x);
    expect(y.shape).toEqual([2, 3, 4, 5]);
    expect(gradient.shape).toEqual([2, 3, 4, 5]);
    tf.dispose([x, y, gradient]);
  });
});

test('activations are found by their names', () => {
  tf.tidy(() => {
    const x = tf.tensor1d([-1, 2]);
    expectClose(activate('relu', x).dataSync(), [0, 2], 0);
    expectClose(activate('swish', x).dataSync(), [-0.26894142, 1.7615942], 1e-6);
    expectClose(activate('hard-swish', x).dataSync(), [-1 / 3, 5 / 3], 1e-6);
  });
});
