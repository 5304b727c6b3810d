/**
 * Common JPEG files, decoded by the kernels: see kernels/source/jpeg.ts for which those are. Always at full size: a picture that
 * is shrunk while it is decoded stays within 2 grey levels of the full way only where a factor of 4 is left to resize, and most
 * of the time, which is spent on the codes, would not be saved.
 */
import { bytesAt, kernels, putBytes } from './kernels/kernels.ts';
import type { Box, RawImage } from './resample.ts';

export interface JpegSize {
  width: number;
  height: number;
  channels: 1 | 3;
}

/** The kernels' memory does not grow to a picture's full size for more than this; larger ones go another way. */
const MAX_PIXELS = 2 ** 24;

/** Begins a file: everything in the kernels' memory is forgotten. Null when it is not for the kernels. */
export function openJpeg(file: Uint8Array): JpegSize | null {
  kernels.forgetAll();
  if (!kernels.readHeader(putBytes(file), file.length)) return null;
  const [width, height] = [kernels.imageWidth(), kernels.imageHeight()];
  if (width * height > MAX_PIXELS) return null;
  return { width, height, channels: kernels.imageChannels() as 1 | 3 };
}

/** Address of a part of the file that was opened last, line by line; null when the file turns out not to be for the kernels. */
export function decodeRegion({ x, y, width, height }: Box): number | null {
  return kernels.decodeRegion(x, y, width, height) || null;
}

/** The whole picture in memory of its own, or null. */
export function decodeJpeg(file: Uint8Array): RawImage | null {
  const size = openJpeg(file);
  const address = size && decodeRegion({ x: 0, y: 0, width: size.width, height: size.height });
  if (!size || address === null) return null;
  return { ...size, data: bytesAt(address, size.width * size.height * size.channels).slice() };
}
