import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { tf } from './tf.ts';

/**
 * Mean over the pixels: [N, H, W, C] to [N, C]. The gradient of `tf.mean` multiplies by an array of ones as large as `x` that
 * JavaScript fills first; this one only repeats dy / (H W).
 */
export function spatialMean(x: Tensor4D): Tensor2D {
  const op = tf.customGrad((...args) => {
    const [x] = args as unknown as [Tensor4D];
    const [batch, height, width, channels] = x.shape;
    const gradFunc = (dy: Tensor): Tensor => {
      const perPixel = dy.mul(1 / (height * width)).reshape([batch, 1, 1, channels]);
      return tf.tile(perPixel, [1, height, width, 1]);
    };
    return { value: tf.mean(x, [1, 2]), gradFunc };
  });
  return op(x) as Tensor2D;
}
