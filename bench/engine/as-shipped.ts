/** Makes the trainer's networks compute as they would on tfjs-node alone, without the engine's own kernels. */
import type { Tensor4D } from '@tensorflow/tfjs';
import { setTensorFlow, type Tf } from '../../trainer/engine/tf.ts';

/**
 * From here on this process has tfjs-node and nothing else: batch norm from `tf.moments` and elementwise arithmetic
 * (`tf.batchNorm` in inference), `tf.relu`, `tf.maxPool`, on TensorFlow's kernels. Everything of ours that calls TensorFlow by
 * name asks for the backend's name first and has a second path in tfjs's ops for others; so the name is changed. Ends with
 * `setTensorFlow(loaded)`.
 */
export function computeAsShipped(loaded: Tf): void {
  const own: Partial<Record<PropertyKey, unknown>> = {
    getBackend: () => 'tfjs-node as shipped',
    conv2d: conv2d(loaded),
  };
  setTensorFlow(
    new Proxy(loaded, { get: (target, property) => own[property] ?? Reflect.get(target, property, target) }),
  );
}

/**
 * The second paths are written for plain TensorFlow.js, whose convolution also takes a margin in pixels. tfjs-node's does not:
 * there one says 'same', which is the same thing at a stride of 1, or pads first.
 */
function conv2d(tf: Tf) {
  return (x: Tensor4D, filter: Tensor4D, stride: 1 | 2, pad: 'same' | 'valid' | number): Tensor4D => {
    if (typeof pad !== 'number') return tf.conv2d(x, filter, stride, pad);
    if (pad === 0 || stride === 1) return tf.conv2d(x, filter, stride, pad === 0 ? 'valid' : 'same');
    const margin: [number, number] = [pad, pad];
    return tf.tidy(() => tf.conv2d(tf.pad4d(x, [[0, 0], margin, margin, [0, 0]]), filter, stride, 'valid'));
  };
}
