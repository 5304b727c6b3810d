import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs';
import { float32Attribute, nativeBackend } from './backend.ts';
import { tf } from './tf.ts';

/**
 * x + bias with x [N, H, W, C] and bias [C]; differentiable in both. By this op TensorFlow knows what follows a convolution, and
 * computes convolution, bias, residual and activation in one go where they stand together.
 */
export function biasAdd(x: Tensor4D, bias: Tensor1D): Tensor4D {
  const native = nativeBackend();
  if (native === null) return tf.add(x, bias) as Tensor4D;
  const format = { name: 'data_format', type: native.binding.TF_ATTR_STRING, value: 'NHWC' };
  const attributes = [float32Attribute(native), format];
  const op = tf.customGrad((...args) => {
    const [x, bias] = args as unknown as [Tensor4D, Tensor1D];
    const gradFunc = (dy: Tensor): Tensor[] => [
      dy.clone(),
      native.executeSingleOutput('BiasAddGrad', attributes, [dy]),
    ];
    return { value: native.executeSingleOutput('BiasAdd', attributes, [x, bias]), gradFunc };
  });
  return op(x, bias) as Tensor4D;
}
