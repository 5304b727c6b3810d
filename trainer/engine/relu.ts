import type { Tensor } from '@tensorflow/tfjs';
import { float32Attribute, nativeBackend } from './backend.ts';
import { tf } from './tf.ts';

/**
 * max(x, 0), any shape; gradient 0 at 0, as in PyTorch. tfjs composes the gradient of `tf.relu` from seven ops per call, a
 * tenth of a small network's training step; TensorFlow has one op for it.
 */
export function relu<T extends Tensor>(x: T): T {
  const native = nativeBackend();
  if (native === null) return tf.relu(x);
  const attributes = [float32Attribute(native)];
  const op = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [Tensor, (tensors: Tensor[]) => void];
    const value = native.executeSingleOutput('Relu', attributes, [x]);
    save([value]);
    const gradFunc = (dy: Tensor, [y]: Tensor[]): Tensor =>
      native.executeSingleOutput('ReluGrad', attributes, [dy, y!]);
    return { value, gradFunc };
  });
  return op(x) as T;
}
