/** The view of an image that a network sees, in bytes: the device turns them into numbers (engine/pixels.ts). */
import type { View } from './augment.ts';
import { type Interpolation, type RawImage, resample } from './resample.ts';

/** Writes the view of the image as height x width x 3 bytes into `out` from `offset` on. */
export function renderView(
  image: RawImage,
  view: View,
  interpolation: Interpolation,
  out: Uint8Array,
  offset: number,
): void {
  const pixels = resample(image, view.box, view.resized, view.window, interpolation);
  const { width, height } = view.window;
  const { channels } = image;
  // A grey image's one value serves all three channels.
  const [toGreen, toBlue] = channels === 3 ? [1, 2] : [0, 0];
  let at = offset;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + (view.flip ? width - 1 - x : x)) * channels;
      out[at++] = pixels[from]!;
      out[at++] = pixels[from + toGreen]!;
      out[at++] = pixels[from + toBlue]!;
    }
  }
}
