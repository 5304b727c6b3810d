/** The view of an image that a network sees, in bytes: the device turns them into numbers (engine/pixels.ts). */
import type { View } from './augment.ts';
import { decodeRegion, type JpegSize } from './jpeg.ts';
import { bytesAt, kernels } from './kernels/kernels.ts';
import { type Interpolation, putRegion, type RawImage, type Region, resample } from './resample.ts';

/** A view, and where its pixels go: height x width x 3 bytes into `out` from `offset` on. */
export interface ViewTarget {
  view: View;
  out: Uint8Array;
  offset: number;
}

/** Writes the view of the image as height x width x 3 bytes into `out` from `offset` on. */
export function renderView(
  image: RawImage,
  view: View,
  interpolation: Interpolation,
  out: Uint8Array,
  offset: number,
): void {
  renderRegion(putRegion(image, view.box), view, interpolation, out, offset);
}

/**
 * The same from the JPEG file that was opened last, of which only the views' part is decoded. False, and nothing is written,
 * when the file turns out not to be for the kernels.
 * @param targets views of one and the same box, at least one
 */
export function renderJpegViews(
  { channels }: JpegSize,
  targets: readonly ViewTarget[],
  interpolation: Interpolation,
): boolean {
  const { box } = targets[0]!.view;
  const address = decodeRegion(box);
  if (address === null) return false;
  const { width, height } = box;
  const region = { address, stride: width * channels, width, height, channels };
  for (const { view, out, offset } of targets) renderRegion(region, view, interpolation, out, offset);
  return true;
}

function renderRegion(
  region: Region,
  { resized, window, flip }: View,
  interpolation: Interpolation,
  out: Uint8Array,
  offset: number,
): void {
  const pixels = resample(region, resized, window, interpolation, flip);
  const count = window.width * window.height;
  if (region.channels === 3) {
    out.set(bytesAt(pixels, count * 3), offset);
    return;
  }
  // A grey image's one value serves all three channels.
  const spread = kernels.take(count * 3);
  kernels.spread(pixels, count, spread);
  out.set(bytesAt(spread, count * 3), offset);
}
