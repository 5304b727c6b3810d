/** Against torchvision and Pillow: numbers that test/parity/make_image_reference.py has printed. */
import { expect, test } from 'vitest';
import { centreView, type View } from '../../trainer/data/augment.ts';
import { decodeImage } from '../../trainer/data/decode.ts';
import { renderView } from '../../trainer/data/render-view.ts';
import type { Interpolation, RawImage } from '../../trainer/data/resample.ts';
import { normalisePixels, uploadPixels } from '../../trainer/engine/pixels.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { patternPixels } from '../support/image-folder.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';
import reference from './image-reference.json' with { type: 'json' };

await setUpTensorFlow();

/** In grey levels. */
const TOLERANCE = 2;

const picture = (width: number, height: number, channels: number): RawImage => ({
  data: patternPixels(width, height, channels),
  width,
  height,
  channels: channels as 1 | 3,
});

function rendered(image: RawImage, view: View, interpolation: string): Uint8Array {
  const out = new Uint8Array(view.window.width * view.window.height * 3);
  renderView(image, view, interpolation as Interpolation, out, 0);
  return out;
}

function expectLevels(actual: Uint8Array, expected: number[]): void {
  const kept = actual.filter((_, i) => i % reference.stride === 0);
  expect(kept).toHaveLength(expected.length);
  const differences = expected.map((value, i) => Math.abs(value - kept[i]!));
  expect(Math.max(...differences)).toBeLessThanOrEqual(TOLERANCE);
}

test.each(reference.centre)(
  'Resize and CenterCrop, $interpolation: $width x $height x $channels to $inputSize',
  (item) => {
    const { width, height, channels, inputSize, shorter, interpolation, values } = item;
    const cropFraction = inputSize / shorter;
    const view = centreView(width, height, { inputSize, cropFraction });
    expect(Math.min(view.resized.width, view.resized.height)).toBe(shorter);
    expectLevels(rendered(picture(width, height, channels), view, interpolation), values);
  },
);

test.each(reference.crops)(
  'RandomResizedCrop, $interpolation: $box of $width x $height to $inputSize, flip $flip',
  (item) => {
    const { width, height, channels, box, inputSize, flip, interpolation, values } = item;
    const window = { x: 0, y: 0, width: inputSize, height: inputSize };
    const view = { box, resized: { width: inputSize, height: inputSize }, window, flip };
    expectLevels(rendered(picture(width, height, channels), view, interpolation), values);
  },
);

test.each(reference.files)('Image.open(…).convert("RGB"): $name', async ({ jpeg, values }) => {
  const { data, width, height, channels } = await decodeImage(Buffer.from(jpeg, 'base64'));
  const rgb =
    channels === 3 ? data : Uint8Array.from({ length: width * height * 3 }, (_, i) => data[Math.floor(i / 3)]!);
  expectLevels(rgb, values);
});

test('ToTensor and Normalize', () => {
  const { bytes, values } = reference.normalised;
  // Two pixels among black ones: images are square.
  const pixels = new Uint8Array(12);
  pixels.set(bytes);
  const actual = tf.tidy(() => normalisePixels(uploadPixels(pixels, 1)).dataSync());
  expectClose(actual.slice(0, values.length), values, 1e-5);
});
