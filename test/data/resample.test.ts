import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bytesAt } from '../../trainer/data/kernels/kernels.ts';
import { type Box, putRegion, type RawImage, resample } from '../../trainer/data/resample.ts';
import { patternPixels } from '../support/image-folder.ts';

const image = (width: number, height: number, channels: 1 | 3): RawImage => ({
  data: patternPixels(width, height, channels),
  width,
  height,
  channels,
});
const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });
const whole = (width: number, height: number) => box(0, 0, width, height);

function resampleBilinear(
  raw: RawImage,
  part: Box,
  resized: { width: number; height: number },
  window: Box,
): Uint8Array {
  const address = resample(putRegion(raw, part), resized, window, 'bilinear', false);
  return bytesAt(address, window.width * window.height * raw.channels).slice();
}

test('an 8 x 8 image halves to the numbers that Pillow gives', () => {
  const out = resampleBilinear(image(8, 8, 1), whole(8, 8), { width: 4, height: 4 }, whole(4, 4));
  expect([...out]).toEqual([19, 43, 70, 94, 54, 107, 149, 150, 93, 161, 169, 166, 127, 173, 177, 150]);
});

// First 8 bytes of the SHA-256 of Image.crop(...).resize(..., BILINEAR).tobytes(), Pillow 11.3.
test.each([
  ['shrunk', image(97, 61, 3), whole(97, 61), 24, 24, '00ea75b400643df9'],
  ['a part, shrunk', image(97, 61, 3), box(5, 7, 60, 40), 32, 32, 'dc02230cb4755e86'],
  ['wider and lower', image(97, 61, 3), box(90, 0, 7, 61), 48, 16, '001f43e63dd7807b'],
  ['narrower and higher, grey', image(97, 61, 1), whole(97, 61), 10, 80, '23ecdc36fbb4b596'],
  ['enlarged', image(8, 8, 1), whole(8, 8), 32, 32, 'f6b009a10953a586'],
  ['a part, enlarged', image(8, 8, 1), box(1, 2, 5, 3), 24, 24, 'be263f05d3467549'],
  ['one pixel, enlarged', image(8, 8, 1), box(3, 3, 1, 1), 16, 16, 'c87360794f4ae4de'],
  ['a photograph to 256', image(500, 375, 3), whole(500, 375), 341, 256, '382e27ef6e045068'],
  ['as it is', image(33, 33, 3), whole(33, 33), 33, 33, 'af8ad49cdbe267a4'],
] as const)('%s: bit for bit what Pillow gives', (_name, raw, part, width, height, hash) => {
  const out = resampleBilinear(raw, part, { width, height }, whole(width, height));
  expect(createHash('sha256').update(out).digest('hex').slice(0, 16)).toBe(hash);
});

test('a window is the part of the whole result', () => {
  const raw = image(97, 61, 3);
  const resized = { width: 50, height: 40 };
  const all = resampleBilinear(raw, box(3, 4, 80, 50), resized, whole(50, 40));
  const window = box(11, 7, 20, 30);
  const part = resampleBilinear(raw, box(3, 4, 80, 50), resized, window);
  for (let y = 0; y < window.height; y++) {
    const from = ((y + window.y) * 50 + window.x) * 3;
    expect(part.subarray(y * 60, (y + 1) * 60)).toEqual(all.subarray(from, from + 60));
  }
});
