/** Depthwise convolution: one filter per channel. */
import type { Tensor4D } from '@tensorflow/tfjs';
import { tf } from './tf.ts';

/**
 * Where padding goes: 'same' as TensorFlow pads (an odd pixel bottom and right), 'even' by (size - 1) / 2 on every side as
 * PyTorch does. They differ only where a stride of 2 meets an even size.
 */
export type Padding = 'same' | 'even';

/**
 * `x` [N, H, W, C] with a filter [size, size, C, 1] of odd size; the output has ceil(H / stride) rows. Differentiable in both.
 * Even padding that TensorFlow's own cannot express is done by hand, for its gradients take no other.
 */
export function depthwiseConv(x: Tensor4D, filter: Tensor4D, stride: 1 | 2, padding: Padding): Tensor4D {
  const [, height, width] = x.shape;
  if (padding === 'same' || stride === 1 || (height % 2 === 1 && width % 2 === 1)) {
    return tf.depthwiseConv2d(x, filter, stride, 'same');
  }
  const margin = (filter.shape[0] - 1) / 2;
  const padded = tf.pad4d(x, [
    [0, 0],
    [margin, margin],
    [margin, margin],
    [0, 0],
  ]);
  return tf.depthwiseConv2d(padded, filter, stride, 'valid');
}
