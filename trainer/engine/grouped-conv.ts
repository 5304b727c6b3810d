/** Convolution in groups: each group of output channels sees its own group of input channels only. */
import type { Tensor4D } from '@tensorflow/tfjs';
import { tf } from './tf.ts';

/**
 * `x` [N, H, W, C], `filter` [k, k, C / groups, outputs] with odd k, padded by (k - 1) / 2 on every side. PyTorch's
 * `conv2d(..., groups=groups)` for the same filter in its layout. Differentiable in both.
 */
export function groupedConv2d(x: Tensor4D, filter: Tensor4D, stride: 1 | 2): Tensor4D {
  const groups = x.shape[3] / filter.shape[2];
  const margin = (filter.shape[0] - 1) / 2;
  return tf.tidy(() => {
    const padded = tf.pad4d(x, [
      [0, 0],
      [margin, margin],
      [margin, margin],
      [0, 0],
    ]);
    const inputs = tf.split(padded, groups, 3) as Tensor4D[];
    const filters = tf.split(filter, groups, 3) as Tensor4D[];
    const outputs = inputs.map((input, i) => tf.conv2d(input, filters[i]!, stride, 'valid'));
    return tf.concat4d(outputs, 3);
  });
}
