/** Images on their way to a network: bytes up to the device, numbers from there on. A quarter of the bytes to carry. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import { nativeBackend } from './backend.ts';
import { DTYPE_NUMBERS } from './graph/graph.ts';
import { tf } from './tf.ts';

/** ImageNet's, used for every network and dataset as the reference does. */
const MEAN = [0.485, 0.456, 0.406] as const;
const STANDARD_DEVIATION = [0.229, 0.224, 0.225] as const;

/**
 * Bytes [N, H, W, 3] as a tensor, the caller's. TensorFlow keeps them as uint8; tfjs, which has no such type, says int32. Only
 * `normalisePixels` may read it.
 */
export function uploadPixels(pixels: Uint8Array, shape: [number, number, number, number]): Tensor4D {
  const native = nativeBackend();
  if (native === null) return tf.tensor4d(pixels, shape, 'int32');
  const dtype = DTYPE_NUMBERS.uint8;
  const id = native.binding.createTensor(shape, dtype, pixels);
  return native.createOutputTensor({ id, shape, dtype }) as Tensor4D;
}

/** (v / 255 - mean) / deviation per channel, [N, H, W, 3] in float32, from what `uploadPixels` gave. */
export function normalisePixels(pixels: Tensor4D): Tensor4D {
  return tf.tidy(() => {
    const scale = tf.tensor1d(STANDARD_DEVIATION.map((deviation) => 1 / (255 * deviation)));
    const shift = tf.tensor1d(MEAN.map((mean, channel) => -mean / STANDARD_DEVIATION[channel]!));
    return asFloat(pixels).mul(scale).add(shift) as Tensor4D;
  });
}

function asFloat(pixels: Tensor): Tensor {
  const native = nativeBackend();
  if (native === null) return pixels.cast('float32');
  const { TF_ATTR_TYPE, TF_ATTR_BOOL } = native.binding;
  const attributes = [
    { name: 'SrcT', type: TF_ATTR_TYPE, value: DTYPE_NUMBERS.uint8 },
    { name: 'DstT', type: TF_ATTR_TYPE, value: DTYPE_NUMBERS.float32 },
    { name: 'Truncate', type: TF_ATTR_BOOL, value: false },
  ];
  return native.executeSingleOutput('Cast', attributes, [pixels]);
}
