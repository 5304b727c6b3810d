import type { Rank, Tensor, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { forwardConv2d } from '../../trainer/engine/forward-conv.ts';
import { groupedConv2d } from '../../trainer/engine/grouped-conv.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { hashed } from '../support/hashed-weights.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';
import reference from './grouped-conv-reference.json' with { type: 'json' };

const { backend } = await setUpTensorFlow();

/** An array hashed in PyTorch's layout, here: images from NCHW, filters from OIHW. */
function array(stream: number, shape: number[], order: number[]): Tensor4D {
  const count = shape.reduce((product, length) => product * length);
  return tf.transpose(tf.tensor<Rank.R4>(Float32Array.from(hashed(count, stream)), shape as Shape), order);
}
type Shape = [number, number, number, number];
const image = (stream: number, shape: number[]): Tensor4D => array(stream, shape, [0, 2, 3, 1]);
const filterOf = (stream: number, shape: number[]): Tensor4D => array(stream, shape, [2, 3, 1, 0]);
const sumOfProducts = (a: Tensor, b: Tensor): number => tf.sum(a.mul(b)).dataSync()[0]!;

/** Runs `body` on TensorFlow and on plain TensorFlow.js. */
async function onEveryBackend(body: () => void): Promise<void> {
  tf.tidy(body);
  if (backend === 'cpu') return;
  await tf.setBackend('cpu');
  try {
    tf.tidy(body);
  } finally {
    await tf.setBackend('tensorflow');
  }
}

describe.each(reference)(
  "$groups groups of $inputs to $outputs channels, $size pixels, stride $stride: PyTorch's numbers",
  ({ groups, inputs, outputs, size, stride, outputSize, ...expected }) => {
    const xShape = [2, groups * inputs, size, size];
    const filterShape = [groups * outputs, inputs, 3, 3];
    const yShape = [2, groups * outputs, outputSize, outputSize];

    test.each([
      ['the differentiable convolution', groupedConv2d],
      ['the one for prediction', forwardConv2d],
    ])('%s', async (_what, convolve) => {
      await onEveryBackend(() => {
        const y = convolve(image(1, xShape), filterOf(2, filterShape), stride as 1 | 2);
        expect(y.shape).toEqual([2, outputSize, outputSize, groups * outputs]);
        const scale = tf.max(y.abs()).dataSync()[0]!;
        expectClose(y.dataSync().subarray(0, expected.firstPixel.length), expected.firstPixel, 1e-6 * scale);
        expectClose([sumOfProducts(y, image(3, yShape))], [expected.loss], 2e-5 * scale * Math.sqrt(y.size));
      });
    });

    test('both gradients', async () => {
      await onEveryBackend(() => {
        const gradients = tf.grads((x, filter) =>
          groupedConv2d(x as Tensor4D, filter as Tensor4D, stride as 1 | 2)
            .mul(image(3, yShape))
            .sum(),
        );
        const [dx, dFilter] = gradients([image(1, xShape), filterOf(2, filterShape)]) as [Tensor4D, Tensor4D];
        const tolerance = (x: Tensor): number => 1e-6 * x.norm().dataSync()[0]! * Math.sqrt(x.size);
        expectClose([sumOfProducts(dx, image(4, xShape))], [expected.imageGradient], tolerance(dx));
        expectClose([sumOfProducts(dFilter, filterOf(5, filterShape))], [expected.filterGradient], tolerance(dFilter));
      });
    });
  },
);

test('the gradients agree with finite differences', () => {
  tf.tidy(() => {
    const x = image(1, [1, 8, 4, 4]);
    const filter = filterOf(2, [16, 2, 3, 3]);
    const weights = image(3, [1, 16, 2, 2]);
    const loss = (x: Tensor, filter: Tensor): Tensor =>
      groupedConv2d(x as Tensor4D, filter as Tensor4D, 2)
        .mul(weights)
        .sum();
    const gradients = tf.grads(loss)([x, filter]);
    // The loss is linear in either argument, so that a wide step is exact but for rounding.
    for (const [which, argument] of [x, filter].entries()) {
      const direction = tf.tensor(Float32Array.from(hashed(argument.size, 6)), argument.shape);
      const at = (step: number): number => {
        const moved = argument.add(direction.mul(step));
        return (which === 0 ? loss(moved, filter) : loss(x, moved)).dataSync()[0]!;
      };
      expect((at(1) - at(-1)) / 2).toBeCloseTo(sumOfProducts(gradients[which]!, direction), 4);
    }
  });
});

test('a filter that does not divide the channels is refused', () => {
  tf.tidy(() => {
    expect(() => groupedConv2d(tf.zeros([1, 4, 4, 6]), tf.zeros([3, 3, 4, 8]), 1)).toThrow(
      'does not divide 6 channels',
    );
    expect(() => forwardConv2d(tf.zeros([1, 4, 4, 6]), tf.zeros([3, 3, 2, 8]), 1)).toThrow(
      'does not divide 6 channels',
    );
  });
});

test.each([
  [1, 7],
  [1, 8],
  [3, 7],
  [3, 8],
  [7, 8],
])(
  'without groups and with stride 2 the convolution for prediction pads evenly, kernel %i, %i pixels',
  async (kernel, size) => {
    await onEveryBackend(() => {
      const x = image(1, [2, 3, size, size]);
      const filter = filterOf(2, [5, 3, kernel, kernel]);
      const margin = (kernel - 1) / 2;
      const padded = tf.pad4d(x, [
        [0, 0],
        [margin, margin],
        [margin, margin],
        [0, 0],
      ]);
      const expected = tf.conv2d(padded, filter, 2, 'valid');
      expectClose(forwardConv2d(x, filter, 2).dataSync(), expected.dataSync(), 1e-5);
    });
  },
);
