import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { depthwiseConv, type Padding } from '../../trainer/engine/depthwise-conv.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { spatialMean } from '../../trainer/engine/spatial-mean.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

const CHANNELS = 3;

function random(shape: number[], stream: string): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b));
  Rng.seeded(5, stream).fillNormal(values, 1);
  return values;
}

/** y[n, r, c, k] = sum over i, j of x[n, r s + i - top, c s + j - left, k] w[i, j, k], written out. */
function byDefinition(
  x: Float32Array,
  filter: Float32Array,
  size: number,
  kernel: number,
  stride: number,
  pad: number,
) {
  const out = Math.ceil(size / stride);
  const y = new Float64Array(out * out * CHANNELS);
  for (let r = 0; r < out; r++)
    for (let c = 0; c < out; c++)
      for (let i = 0; i < kernel; i++)
        for (let j = 0; j < kernel; j++) {
          const [row, column] = [r * stride + i - pad, c * stride + j - pad];
          if (row < 0 || column < 0 || row >= size || column >= size) continue;
          for (let k = 0; k < CHANNELS; k++)
            y[(r * out + c) * CHANNELS + k]! +=
              x[(row * size + column) * CHANNELS + k]! * filter[(i * kernel + j) * CHANNELS + k]!;
        }
  return y;
}

/** Pixels of padding at the top and at the left. */
const PADDING: Record<Padding, (size: number, kernel: number, stride: number) => number> = {
  even: (_size, kernel) => (kernel - 1) / 2,
  same: (size, kernel, stride) => Math.floor(Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0) / 2),
};

const cases = (['even', 'same'] as const).flatMap((padding) =>
  [3, 5].flatMap((kernel) =>
    ([1, 2] as const).flatMap((stride) => [1, 6, 7].map((size) => ({ padding, kernel, stride, size }))),
  ),
);

describe.each(cases)('$padding padding, kernel $kernel, stride $stride, $size pixels', (options) => {
  const { padding, kernel, stride, size } = options;
  const shape: [number, number, number, number] = [1, size, size, CHANNELS];
  const filterShape: [number, number, number, number] = [kernel, kernel, CHANNELS, 1];
  const [pixels, weights] = [random(shape, 'image'), random(filterShape, 'filter')];
  const pad = PADDING[padding](size, kernel, stride);

  test('has the value of its definition', () => {
    tf.tidy(() => {
      const y = depthwiseConv(tf.tensor4d(pixels, shape), tf.tensor4d(weights, filterShape), stride, padding);
      expectClose(y.dataSync(), byDefinition(pixels, weights, size, kernel, stride, pad) as never, 1e-5);
    });
  });

  test('has the gradients of its definition, by central differences', () => {
    tf.tidy(() => {
      const inputs = [tf.tensor4d(pixels, shape), tf.tensor4d(weights, filterShape)];
      const out = Math.ceil(size / stride);
      const dy = random([1, out, out, CHANNELS], 'dy');
      const gradients = tf.grads((x, filter) => depthwiseConv(x as Tensor4D, filter as Tensor4D, stride, padding))(
        inputs,
        tf.tensor4d(dy, [1, out, out, CHANNELS]),
      );
      for (const [which, gradient] of gradients.entries()) {
        const values = [pixels, weights];
        const loss = (changed: Float32Array): number => {
          const [x, filter] = which === 0 ? [changed, weights] : [pixels, changed];
          return byDefinition(x, filter, size, kernel, stride, pad).reduce((sum, y, i) => sum + y * dy[i]!, 0);
        };
        // The loss is linear in each of the two, so that a step of 1 is as good as a small one.
        const expected = Array.from(values[which]!, (_, i) => {
          const moved = (by: number) => values[which]!.map((value, j) => (i === j ? value + by : value));
          return (loss(moved(1)) - loss(moved(-1))) / 2;
        });
        expectClose(gradient.dataSync(), expected, 1e-4);
      }
    });
  });
});

test('the mean over the pixels has the value and the gradient of tf.mean', () => {
  tf.tidy(() => {
    const x = tf.tensor4d(random([2, 3, 5, 4], 'image'), [2, 3, 5, 4]);
    const dy = tf.tensor2d(random([2, 4], 'dy'), [2, 4]);
    const reference = (x: Tensor) => tf.mean(x, [1, 2]);
    expect(spatialMean(x).shape).toEqual([2, 4]);
    expectClose(spatialMean(x).dataSync(), reference(x).dataSync(), 1e-6);
    const [gradient, expected] = [spatialMean, reference].map((op) => tf.grad((x) => op(x as Tensor4D))(x, dy));
    expectClose(gradient!.dataSync(), expected!.dataSync(), 1e-6);
  });
});
