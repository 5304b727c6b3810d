/** Convolution in groups: each group of output channels sees its own group of input channels only. */
import type { Tensor4D } from '@tensorflow/tfjs';
import { tf } from './tf.ts';

/** Groups are taken together until they put out this many channels: fewer of them would leave vector units idle. */
const BUNDLE_OUTPUTS = 64;

/**
 * `x` [N, H, W, C], `filter` [k, k, C / groups, outputs] with odd k, padded by (k - 1) / 2 on every side: PyTorch's
 * `conv2d(..., groups=groups)` for the same filter in its layout. Differentiable in both.
 *
 * TensorFlow has no gradient for groups on CPUs, so they are split into bundles and each is an ordinary convolution whose filter
 * is 0 between groups. For SENet-154's widths that takes about half the time of one convolution per group. Prediction is faster
 * by `forwardConv2d`.
 */
export function groupedConv2d(x: Tensor4D, filter: Tensor4D, stride: 1 | 2): Tensor4D {
  const [size, , , outputs] = filter.shape;
  const groups = countGroups(x, filter);
  const bundled = bundleSize(groups, outputs / groups);
  const margin = (size - 1) / 2;
  return tf.tidy(() => {
    const padded = tf.pad4d(x, [
      [0, 0],
      [margin, margin],
      [margin, margin],
      [0, 0],
    ]);
    const dense = blockDiagonal(filter, groups, bundled);
    // tfjs's gradient of a split into one part fails.
    if (bundled === groups) return tf.conv2d(padded, dense, stride, 'valid');
    const inputs = tf.split(padded, groups / bundled, 3) as Tensor4D[];
    const filters = tf.split(dense, groups / bundled, 3) as Tensor4D[];
    const convolved = inputs.map((input, i) => tf.conv2d(input, filters[i]!, stride, 'valid'));
    return tf.concat4d(convolved, 3);
  });
}

/** How many groups a filter makes of the channels of `x`; throws where they do not divide. */
export function countGroups(x: Tensor4D, filter: Tensor4D): number {
  const groups = x.shape[3] / filter.shape[2];
  if (!Number.isInteger(groups) || !Number.isInteger(filter.shape[3] / groups)) {
    throw new Error(`A filter of shape [${filter.shape}] does not divide ${x.shape[3]} channels into groups.`);
  }
  return groups;
}

/** The smallest divisor of `groups` that makes a bundle wide enough, or all of them. */
function bundleSize(groups: number, outputsPerGroup: number): number {
  for (let bundled = 1; bundled < groups; bundled++) {
    if (groups % bundled === 0 && bundled * outputsPerGroup >= BUNDLE_OUTPUTS) return bundled;
  }
  return groups;
}

/** [k, k, bundled * in / groups, outputs]: each output's weights at its own group's place in the bundle, elsewhere 0. */
function blockDiagonal(filter: Tensor4D, groups: number, bundled: number): Tensor4D {
  if (bundled === 1) return filter;
  const [, , inputs, outputs] = filter.shape;
  const mask = new Float32Array(bundled * inputs * outputs);
  for (let output = 0; output < outputs; output++) {
    const place = Math.floor((output * groups) / outputs) % bundled;
    for (let i = 0; i < inputs; i++) mask[(place * inputs + i) * outputs + output] = 1;
  }
  return tf.tile(filter, [1, 1, bundled, 1]).mul(tf.tensor4d(mask, [1, 1, bundled * inputs, outputs]));
}
