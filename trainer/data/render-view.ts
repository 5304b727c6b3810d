/** Raw pixels to the network's numbers. */
import type { View } from './augment.ts';
import { type RawImage, resampleBilinear } from './resample.ts';

/** ImageNet's, used for every network and dataset as the reference does. */
const MEAN = [0.485, 0.456, 0.406] as const;
const STANDARD_DEVIATION = [0.229, 0.224, 0.225] as const;

/** (v/255 - mean) / deviation for each byte, rounded to float32 after every operation as PyTorch does. */
const NORMALISED = MEAN.map((mean, channel) =>
  Float32Array.from({ length: 256 }, (_, v) => {
    const centred = Math.fround(Math.fround(v / 255) - Math.fround(mean));
    return centred / Math.fround(STANDARD_DEVIATION[channel]!);
  }),
) as [Float32Array, Float32Array, Float32Array];

/** Writes the view of the image as height x width x 3 normalised floats into `out` from `offset` on. */
export function renderView(image: RawImage, view: View, out: Float32Array, offset: number): void {
  const pixels = resampleBilinear(image, view.box, view.resized, view.window);
  const { width, height } = view.window;
  const { channels } = image;
  const [red, green, blue] = NORMALISED;
  // A grey image's one value serves all three channels.
  const [toGreen, toBlue] = channels === 3 ? [1, 2] : [0, 0];
  let at = offset;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + (view.flip ? width - 1 - x : x)) * channels;
      out[at++] = red[pixels[from]!]!;
      out[at++] = green[pixels[from + toGreen]!]!;
      out[at++] = blue[pixels[from + toBlue]!]!;
    }
  }
}
