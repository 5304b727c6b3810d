/**
 * Resizing with antialiasing: a filter as wide as the shrink factor, horizontally and then vertically, each pass in 22-bit fixed
 * point and rounded to 8 bits. Equal to the last bit to Pillow 11's `Image.resize(..., BILINEAR or BICUBIC)`, which torchvision
 * uses; Pillow 13 sometimes takes the vertical pass first and then differs in the last bit.
 * Done here because libvips resizes differently (other edges, box pre-shrink). Cropping comes first, as in Pillow: pixels outside
 * the crop have no influence.
 */
import { kernels, putBytes, putNumbers } from './kernels/kernels.ts';

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

/** Pixels in the kernels' memory. */
export interface Region {
  address: number;
  /** Bytes from one line to the next. */
  stride: number;
  width: number;
  height: number;
  channels: 1 | 3;
}

/** Brings the part of an image that is in `box` to the kernels, whose memory is otherwise forgotten. */
export function putRegion({ data, width, channels }: RawImage, box: Box): Region {
  kernels.forgetAll();
  const begin = (box.y * width + box.x) * channels;
  const end = ((box.y + box.height - 1) * width + box.x + box.width) * channels;
  const { width: w, height: h } = box;
  return { address: putBytes(data.subarray(begin, end)), stride: width * channels, width: w, height: h, channels };
}

/**
 * Resizes a region and gives the address of the `window` of the result, computing nothing outside it: window.width x
 * window.height pixels with the region's channels. `mirrored` swaps left and right.
 */
export function resample(
  { address, stride, width, height, channels }: Region,
  resized: { width: number; height: number },
  window: Box,
  interpolation: Interpolation,
  mirrored: boolean,
): number {
  const filter = FILTERS[interpolation];
  const columns = axisWeights(filter, width, resized.width, window.x, window.width);
  const rows = axisWeights(filter, height, resized.height, window.y, window.height);
  const top = rows.first[0]!;
  const last = window.height - 1;
  const lines = rows.first[last]! + rows.counts[last]! - top;
  const lineLength = window.width * channels;
  const middle = kernels.take(lines * lineLength);
  const across = channels === 3 ? kernels.acrossColour : kernels.acrossGrey;
  across(address + top * stride, stride, lines, ...putWeights(columns), window.width, mirrored ? 1 : 0, middle);
  const out = kernels.take(window.height * lineLength);
  kernels.down(middle, lineLength, top, ...putWeights(rows), window.height, out);
  return out;
}

function putWeights({ first, counts, weights, taps }: AxisWeights): [number, number, number, number] {
  return [putNumbers(first), putNumbers(counts), putNumbers(weights), taps];
}
