/**
 * Resizing with antialiasing: a filter as wide as the shrink factor, horizontally and then vertically, each pass in 22-bit fixed
 * point and rounded to 8 bits. Equal to the last bit to Pillow 11's `Image.resize(..., BILINEAR or BICUBIC)`, which torchvision
 * uses; Pillow 13 sometimes takes the vertical pass first and then differs in the last bit.
 * Done here because libvips resizes differently (other edges, box pre-shrink).
 */

export interface RawImage {
  /** Rows of pixels, channels interleaved. */
  data: Uint8Array;
  width: number;
  height: number;
  channels: 1 | 3;
}

/** A rectangle in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Interpolation = 'bilinear' | 'bicubic';

const PRECISION_BITS = 22;
const ONE = 1 << PRECISION_BITS;
const HALF = 1 << (PRECISION_BITS - 1);

interface Filter {
  /** Half the filter's width in pixels, without shrinking. */
  support: number;
  at(distance: number): number;
}

const FILTERS: Record<Interpolation, Filter> = {
  bilinear: { support: 1, at: (x) => (Math.abs(x) < 1 ? 1 - Math.abs(x) : 0) },
  bicubic: { support: 2, at: cubic },
};

/** R. Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981, with a = -0.5. */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** For each output position: the first input position, how many, and their fixed-point weights (`taps` apart). */
interface AxisWeights {
  first: Int32Array;
  counts: Int32Array;
  weights: Int32Array;
  taps: number;
}

/** Weights of output positions from..from+count-1 of a line of `inSize` resized to `outSize`. */
function axisWeights(filter: Filter, inSize: number, outSize: number, from: number, count: number): AxisWeights {
  const scale = inSize / outSize;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const inverse = 1 / stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Int32Array(count * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < count; i++) {
    const centre = (from + i + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(inSize, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let k = 0; k < end - begin; k++) {
      exact[k] = filter.at((k + begin - centre + 0.5) * inverse);
      sum += exact[k]!;
    }
    first[i] = begin;
    counts[i] = end - begin;
    for (let k = 0; k < end - begin; k++) {
      const weight = (exact[k]! / sum) * ONE;
      weights[i * taps + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }
  return { first, counts, weights, taps };
}

/**
 * Cuts `box` out of the image, resizes it to `resized` and returns the `window` of the result, computing nothing outside it.
 * As in Pillow's crop-then-resize, pixels outside the box have no influence. The result has window.width x window.height
 * pixels with the image's channels.
 */
export function resample(
  image: RawImage,
  box: Box,
  resized: { width: number; height: number },
  window: Box,
  interpolation: Interpolation,
): Uint8Array {
  const { channels } = image;
  const filter = FILTERS[interpolation];
  const columns = axisWeights(filter, box.width, resized.width, window.x, window.width);
  const rows = axisWeights(filter, box.height, resized.height, window.y, window.height);
  const top = rows.first[0]!;
  const last = window.height - 1;
  const bottom = rows.first[last]! + rows.counts[last]!;
  const lineLength = window.width * channels;
  // Both clamp what bicubic weights take below 0 or above 255.
  const middle = new Uint8ClampedArray((bottom - top) * lineLength);
  for (let y = top; y < bottom; y++) {
    const lineStart = ((box.y + y) * image.width + box.x) * channels;
    blendAcross(image.data, lineStart, columns, channels, middle, (y - top) * lineLength);
  }
  const out = new Uint8ClampedArray(window.height * lineLength);
  blendDown(middle, rows, top, lineLength, out);
  return new Uint8Array(out.buffer);
}

/** One output line from one input line. */
function blendAcross(
  source: Uint8Array,
  lineStart: number,
  { first, counts, weights, taps }: AxisWeights,
  channels: 1 | 3,
  target: Uint8ClampedArray,
  targetStart: number,
): void {
  for (let x = 0; x < first.length; x++) {
    const from = lineStart + first[x]! * channels;
    const weightStart = x * taps;
    const count = counts[x]!;
    if (channels === 1) {
      let sum = HALF;
      for (let k = 0; k < count; k++) sum += source[from + k]! * weights[weightStart + k]!;
      target[targetStart + x] = sum >> PRECISION_BITS;
    } else {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let k = 0, at = from; k < count; k++, at += 3) {
        const weight = weights[weightStart + k]!;
        red += source[at]! * weight;
        green += source[at + 1]! * weight;
        blue += source[at + 2]! * weight;
      }
      const at = targetStart + x * 3;
      target[at] = red >> PRECISION_BITS;
      target[at + 1] = green >> PRECISION_BITS;
      target[at + 2] = blue >> PRECISION_BITS;
    }
  }
}

/** All output lines from the lines in `source`, the first of which is input line `top`. */
function blendDown(
  source: Uint8ClampedArray,
  { first, counts, weights, taps }: AxisWeights,
  top: number,
  lineLength: number,
  target: Uint8ClampedArray,
): void {
  for (let y = 0; y < first.length; y++) {
    const from = (first[y]! - top) * lineLength;
    const weightStart = y * taps;
    const count = counts[y]!;
    for (let i = 0; i < lineLength; i++) {
      let sum = HALF;
      for (let k = 0, at = from + i; k < count; k++, at += lineLength) sum += source[at]! * weights[weightStart + k]!;
      target[y * lineLength + i] = sum >> PRECISION_BITS;
    }
  }
}
