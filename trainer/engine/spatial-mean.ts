import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { nativeBackend } from './backend.ts';
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
    return { value: meanOverPixels(x), gradFunc };
  });
  return op(x) as Tensor2D;
}

/** On a CPU oneDNN's pooling takes a third of the time of TensorFlow's Mean (a 14 x 14 x 1024 map, two cores). */
function meanOverPixels(x: Tensor4D): Tensor2D {
  const native = nativeBackend();
  if (native === null || native.isUsingGpuDevice) return tf.mean(x, [1, 2]);
  const [batch, height, width, channels] = x.shape;
  return tf.avgPool(x, [height, width], 1, 'valid').reshape([batch, channels]);
}
