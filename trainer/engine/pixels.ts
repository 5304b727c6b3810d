/** Images on their way to a network: bytes up to the device, numbers from there on. A quarter of the bytes to carry. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { nativeBackend } from './backend.ts';
import { DTYPE_NUMBERS, type DType } from './graph/graph.ts';
import { tf } from './tf.ts';

type Rgb = readonly [number, number, number];

/** What is taken from each channel, and what it is then divided by; channels lie in 0..1. */
export interface Normalisation {
  mean: Rgb;
  std: Rgb;
}

/** ImageNet's: for every network that is trained here, whatever the dataset, as MEAL V2's authors do. */
export const IMAGENET_NORMALISATION: Normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Bytes in one int32. */
const PACKED = 4;

/** Images as `uploadPixels` gives them: int32 [N, H W 3 / 4], four bytes to a number, or one number per byte [N, H, W, 3]. */
export type PackedPixels = Tensor2D | Tensor4D;

/**
 * Bytes [N, S, S, 3] on their way to the device, the caller's; `normalisePixels` reads them. They travel four to a number:
 * tfjs-node keeps int32 tensors in the host's memory, from where a captured step fetches them once, while others would go to the
 * GPU, back and there again.
 */
export function uploadPixels(pixels: Uint8Array, count: number): PackedPixels {
  const native = nativeBackend();
  const length = pixels.length / count;
  if (native !== null && length % PACKED === 0) {
    // Bytes that do not begin where an int32 may are copied.
    const { buffer, byteOffset } = pixels.byteOffset % PACKED === 0 ? pixels : pixels.slice();
    const packed = new Int32Array(buffer as ArrayBuffer, byteOffset, pixels.length / PACKED);
    return tf.tensor2d(packed, [count, length / PACKED], 'int32');
  }
  const side = sideOf(length);
  return tf.tensor4d(pixels, [count, side, side, 3], 'int32');
}

/** (v / 255 - mean) / deviation per channel, [N, S, S, 3] in float32; ImageNet's unless given. */
export function normalisePixels(pixels: PackedPixels, { mean, std } = IMAGENET_NORMALISATION): Tensor4D {
  return tf.tidy(() => {
    const values = pixels.rank === 2 ? unpack(pixels as Tensor2D) : pixels.cast('float32');
    const scale = std.map((deviation) => 1 / (255 * deviation));
    const shift = mean.map((value, channel) => -value / std[channel]!);
    return values.mul(tf.tensor1d(scale)).add(tf.tensor1d(shift)) as Tensor4D;
  });
}

/** Images normalised `from` one way as they would be normalised `to` another; the caller's. */
export function renormalise(images: Tensor4D, from: Normalisation, to: Normalisation): Tensor4D {
  return tf.tidy(() => {
    const scale = from.std.map((deviation, channel) => deviation / to.std[channel]!);
    const shift = from.mean.map((value, channel) => (value - to.mean[channel]!) / to.std[channel]!);
    return images.mul(tf.tensor1d(scale)).add(tf.tensor1d(shift)) as Tensor4D;
  });
}

export function isSameNormalisation(a: Normalisation, b: Normalisation): boolean {
  return a.mean.join() === b.mean.join() && a.std.join() === b.std.join();
}

function unpack(packed: Tensor2D): Tensor {
  const native = nativeBackend();
  if (native === null) throw new Error('Packed pixels are for the native backend.');
  const { TF_ATTR_TYPE, TF_ATTR_BOOL } = native.binding;
  const attribute = (name: string, dtype: DType) => ({ name, type: TF_ATTR_TYPE, value: DTYPE_NUMBERS[dtype] });
  const bytes = native.executeSingleOutput('Bitcast', [attribute('T', 'int32'), attribute('type', 'uint8')], [packed]);
  const cast = [attribute('SrcT', 'uint8'), attribute('DstT', 'float32')];
  const values = native.executeSingleOutput(
    'Cast',
    [...cast, { name: 'Truncate', type: TF_ATTR_BOOL, value: false }],
    [bytes],
  );
  const [count, length] = packed.shape;
  const side = sideOf(length * PACKED);
  return values.reshape([count, side, side, 3]);
}

/** Images are square. */
const sideOf = (length: number): number => Math.sqrt(length / 3);
