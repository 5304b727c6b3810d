import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { maxPool3x3 } from '../../trainer/engine/max-pool.ts';
import { installPlainKernels } from '../../trainer/engine/plain-kernels.ts';
import { relu } from '../../trainer/engine/relu.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { activateAndPool, convolve } from '../../trainer/models/layers.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();

function random(shape: [number, number, number, number], stream: string): Tensor4D {
  const rng = Rng.seeded(2, stream);
  return tf.tensor4d(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => rng.normal()),
    shape,
  );
}

/** Value of `op`, and the gradient of sum(weights * op(x)) with random weights. */
function valueAndGradient(op: (x: Tensor4D) => Tensor, x: Tensor4D): [Float32Array, Float32Array] {
  const value = op(x);
  const weights = random(value.shape as [number, number, number, number], 'weights');
  const gradient = tf.grad((x) =>
    op(x as Tensor4D)
      .mul(weights)
      .sum(),
  )(x);
  return [value.dataSync() as Float32Array, gradient.dataSync() as Float32Array];
}

function expectSameOperation(op: (x: Tensor4D) => Tensor, reference: (x: Tensor4D) => Tensor, x: Tensor4D): void {
  const [value, gradient] = valueAndGradient(op, x);
  const [expectedValue, expectedGradient] = valueAndGradient(reference, x);
  expectClose(value, expectedValue, 1e-5);
  expectClose(gradient, expectedGradient, 1e-4);
}

test('relu is max(x, 0), with gradient 0 at 0', () => {
  tf.tidy(() => {
    const x = tf.tensor1d([-2, -0, 0, 3]);
    expect([...relu(x).dataSync()].map((v) => v + 0)).toEqual([0, 0, 0, 3]);
    expect([
      ...tf
        .grad((x) => relu(x).sum())(x)
        .dataSync(),
    ]).toEqual([0, 0, 0, 1]);
    expectSameOperation(relu, tf.relu, random([2, 3, 3, 4], 'relu'));
  });
});

test.each([3, 4, 9, 18])('max pooling of %i pixels has the value and the gradient of tf.maxPool', (size) => {
  tf.tidy(() => {
    expectSameOperation(maxPool3x3, (x) => tf.maxPool(x, 3, 2, 'valid'), random([2, size, size, 5], 'pool'));
  });
});

test.each([7, 8])('pooling before the ReLU of a stem of %i pixels changes neither value nor gradient', (size) => {
  tf.tidy(() => {
    const reference = (x: Tensor4D) => {
      const padded = tf.pad4d(
        tf.relu(x),
        [
          [0, 0],
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        -1e30,
      );
      return tf.maxPool(padded, 3, 2, 'valid');
    };
    // Shifted down, so that some windows hold negative numbers only.
    expectSameOperation(activateAndPool, reference, random([2, size, size, 3], 'stem').sub(0.8));
  });
});

describe('convolution pads evenly on all sides, as PyTorch does', () => {
  const cases = [1, 3, 7].flatMap((kernel) =>
    ([1, 2] as const).flatMap((stride) => [7, 8].map((size) => ({ kernel, stride, size }))),
  );
  test.each(cases)('kernel $kernel, stride $stride, $size pixels', ({ kernel, stride, size }) => {
    tf.tidy(() => {
      const filter = random([kernel, kernel, 3, 4], 'filter');
      const margin = (kernel - 1) / 2;
      const reference = (x: Tensor4D) => {
        const padded = tf.pad4d(x, [
          [0, 0],
          [margin, margin],
          [margin, margin],
          [0, 0],
        ]);
        return tf.conv2d(padded, filter, stride, 'valid');
      };
      expectSameOperation((x) => convolve(x, filter, stride), reference, random([2, size, size, 3], 'image'));
    });
  });
});

test('computeGradients keys gradients by name, returns every part, and gives null where the loss does not depend', () => {
  const variable = (value: number) => tf.tidy(() => tf.variable(tf.scalar(value)));
  const parameters = new Map([
    ['a', variable(3)],
    ['b', variable(4)],
    ['unused', variable(5)],
  ]);
  tf.tidy(() => {
    const { values, gradients } = computeGradients(parameters, () => {
      const product = parameters.get('a')!.mul(parameters.get('b')!);
      const loss = product.add(parameters.get('a')!.square()).asScalar();
      return { loss, product, same: loss };
    });
    expect(values.loss.dataSync()[0]).toBe(21);
    expect(values.product.dataSync()[0]).toBe(12);
    expect(values.same.dataSync()[0]).toBe(21);
    expect(gradients.get('a')?.dataSync()[0]).toBe(10);
    expect(gradients.get('b')?.dataSync()[0]).toBe(3);
    expect(gradients.get('unused')).toBeNull();
  });
  tf.dispose([...parameters.values()]);
});

test.runIf(backend === 'tensorflow')(
  'plain TensorFlow.js gets the filter gradients that TensorFlow computes',
  async () => {
    installPlainKernels(tf);
    const cases = [1, 3, 7].flatMap((kernel) =>
      ([1, 2] as const).flatMap((stride) => [7, 8].map((size) => ({ kernel, stride, size }))),
    );
    const compute = () =>
      cases.map(({ kernel, stride, size }) =>
        tf.tidy(() => {
          // Half of the inputs are 0, as they are behind a ReLU.
          const x = tf.relu(random([3, size, size + 2, 3], 'image'));
          const gradient = tf.grad((filter) =>
            convolve(x, filter as Tensor4D, stride)
              .square()
              .sum(),
          );
          return gradient(random([kernel, kernel, 3, 4], 'filter')).dataSync();
        }),
      );
    const native = compute();
    await tf.setBackend('cpu');
    try {
      for (const [i, plain] of compute().entries()) expectClose(plain, native[i]!, 1e-5 * Math.max(...native[i]!));
    } finally {
      await tf.setBackend('tensorflow');
    }
  },
);
