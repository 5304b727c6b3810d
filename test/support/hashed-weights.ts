/** Weights and images that Python and TypeScript compute alike; the twin of test/parity/hashed_weights.py. */
import type { StateDict } from '../../trainer/weights/state-dict.ts';
import { elementCount } from '../../trainer/weights/state-dict.ts';

/** `count` numbers in [-0.5, 0.5): a function of their index and of the stream. */
export function hashed(count: number, stream: number): Float64Array {
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let h = (Math.imul(i, 2654435761) + Math.imul(stream, 40503)) >>> 0;
    for (let round = 0; round < 2; round++) h = Math.imul(h ^ (h >>> 16), 0x45d9f3b) >>> 0;
    values[i] = ((h ^ (h >>> 16)) >>> 0) / 2 ** 32 - 0.5;
  }
  return values;
}

/**
 * Replaces every array of a state dict by hashed values; a key's stream is its place among the keys. With a gain of 24 a filter
 * keeps a ReLU's variance.
 */
export function hashStateDict(stateDict: StateDict, gain = 24): StateDict {
  const result: StateDict = new Map();
  let stream = 0;
  for (const [name, tensor] of stateDict) {
    stream++;
    if (tensor.dtype !== 'F32') {
      result.set(name, tensor);
      continue;
    }
    const { shape } = tensor;
    const scale = Math.sqrt(gain / elementCount(shape.slice(1)));
    const isScale = name.endsWith('running_var') || name.endsWith('weight');
    const shift = (value: number) => (shape.length > 1 ? value * scale : isScale ? 1 + 0.5 * value : value);
    result.set(name, { dtype: 'F32', shape, data: Float32Array.from(hashed(elementCount(shape), stream), shift) });
  }
  return result;
}

/** Pixels of `batch` square images, NHWC. */
export function hashedImages(batch: number, size: number): Float32Array {
  return Float32Array.from(hashed(batch * size * size * 3, 0), (value) => Math.fround(value) * 4);
}
