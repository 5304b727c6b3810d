/**
 * The parts of loading an image that take the time, in WebAssembly: decoding common JPEG files, and resizing. Addresses are
 * places in the kernels' memory; all of them are forgotten at the next `begin`.
 */
import { COMPILED_KERNELS } from './compiled.ts';

interface Exports extends WebAssembly.Exports {
  memory: WebAssembly.Memory;
  forgetAll(): void;
  take(size: number): number;
  readHeader(file: number, length: number): number;
  imageWidth(): number;
  imageHeight(): number;
  imageChannels(): number;
  decodeRegion(x: number, y: number, width: number, height: number): number;
  acrossColour: Across;
  acrossGrey: Across;
  down(
    source: number,
    length: number,
    top: number,
    ...table: [first: number, counts: number, weights: number, taps: number, count: number, target: number]
  ): void;
  spread(source: number, count: number, target: number): void;
}
type Across = (
  source: number,
  stride: number,
  rows: number,
  ...table: [
    first: number,
    counts: number,
    weights: number,
    taps: number,
    count: number,
    mirrored: number,
    target: number,
  ]
) => void;

/** A trap leaves the kernels' memory fit for the next image, as that begins with nothing. */
export const kernels = new WebAssembly.Instance(
  new WebAssembly.Module(Buffer.from(COMPILED_KERNELS.join(''), 'base64')),
  {
    env: {
      abort: () => {
        throw new Error('the image kernels gave up');
      },
    },
  },
).exports as Exports;

/** Copies bytes to the kernels. */
export function putBytes(bytes: Uint8Array): number {
  const address = kernels.take(bytes.length);
  new Uint8Array(kernels.memory.buffer, address, bytes.length).set(bytes);
  return address;
}

/** Copies 32-bit numbers to the kernels. */
export function putNumbers(numbers: Int32Array): number {
  const address = kernels.take(numbers.byteLength);
  new Int32Array(kernels.memory.buffer, address, numbers.length).set(numbers);
  return address;
}

/** The kernels' bytes themselves, good until the next call of a kernel. */
export function bytesAt(address: number, length: number): Uint8Array {
  return new Uint8Array(kernels.memory.buffer, address, length);
}
