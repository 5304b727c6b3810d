/** The kernels' own decoder against libvips, which decodes with libjpeg. */
import sharp, { type JpegOptions } from 'sharp';
import { describe, expect, test } from 'vitest';
import * as decoders from '../../trainer/data/decode.ts';
import { decodeJpeg, decodeRegion, openJpeg } from '../../trainer/data/jpeg.ts';
import { bytesAt } from '../../trainer/data/kernels/kernels.ts';
import type { Box, RawImage } from '../../trainer/data/resample.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { patternPixels } from '../support/image-folder.ts';
import reference from './image-reference.json' with { type: 'json' };

const encode = (width: number, height: number, options: JpegOptions, channels: 1 | 3 = 3) =>
  sharp(patternPixels(width, height, channels), { raw: { width, height, channels } })
    .jpeg(options)
    .toBuffer();

async function decodeWithSharp(file: Buffer): Promise<RawImage> {
  const image = await decoders.decodeWithSharp(file);
  return { ...image, data: Uint8Array.from(image.data) };
}

/** The part of a decoded image that is in `box`. */
function cut({ data, width, channels }: RawImage, box: Box): Uint8Array {
  const lines = Array.from({ length: box.height }, (_, y) => {
    const from = ((box.y + y) * width + box.x) * channels;
    return data.subarray(from, from + box.width * channels);
  });
  return Uint8Array.from(Buffer.concat(lines));
}

describe('the same to the last bit', () => {
  test.each([
    ['4:2:0', 75],
    ['4:4:4', 75],
    ['4:2:0', 1],
    ['4:2:0', 100],
    ['4:4:4', 100],
  ])('%s at quality %i', async (chromaSubsampling, quality) => {
    const file = await encode(83, 61, { chromaSubsampling, quality });
    expect(decodeJpeg(file)).toEqual(await decodeWithSharp(file));
  });

  test.each([
    [16, 1],
    [17, 16],
    [31, 33],
    [64, 64],
  ])('%i x %i', async (width, height) => {
    const file = await encode(width, height, { quality: 80 });
    const { data } = decodeJpeg(file)!;
    expect(data).toEqual((await decodeWithSharp(file)).data);
  });

  test.each([
    ['grey', 1],
    ['restart markers', 3],
    ['colour, half resolution across', 3],
  ])('%s, as Pillow writes it', async (name, channels) => {
    const file = Buffer.from(reference.files.find((item) => item.name === name)!.jpeg, 'base64');
    expect(openJpeg(file)?.channels).toBe(channels);
    expect(decodeJpeg(file)).toEqual(await decodeWithSharp(file));
  });

  test.each(['4:2:0', '4:4:4'])('any part of a picture, %s', async (chromaSubsampling) => {
    const file = await encode(83, 61, { chromaSubsampling });
    const whole = await decodeWithSharp(file);
    const rng = Rng.seeded(1);
    for (let i = 0; i < 100; i++) {
      const [x, y] = [rng.integer(83), rng.integer(61)];
      const box = { x, y, width: 1 + rng.integer(83 - x), height: 1 + rng.integer(61 - y) };
      openJpeg(file);
      const part = bytesAt(decodeRegion(box)!, box.width * box.height * 3).slice();
      expect(part, JSON.stringify(box)).toEqual(cut(whole, box));
    }
  });
});

describe('left to a complete decoder', () => {
  test('progressive files, CMYK, other formats', async () => {
    expect(openJpeg(await encode(40, 30, { progressive: true }))).toBeNull();
    const cmyk = await sharp(await encode(40, 30, {}))
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    expect(openJpeg(cmyk)).toBeNull();
    expect(openJpeg(await sharp(cmyk).toColourspace('srgb').png().toBuffer())).toBeNull();
    expect(openJpeg(Buffer.alloc(0))).toBeNull();
  });

  test('a file that is cut short, wherever', async () => {
    const file = await encode(40, 30, {});
    for (let length = 0; length < file.length; length++) expect(decodeJpeg(file.subarray(0, length))).toBeNull();
  });

  test('bytes between the picture and its end', async () => {
    const file = await encode(40, 30, {});
    const more = Buffer.concat([file.subarray(0, -2), Buffer.from([1, 2, 3]), file.subarray(-2)]);
    expect(decodeJpeg(more)).toBeNull();
  });

  test('whatever the part that is wanted: damage elsewhere counts too', async () => {
    const file = await encode(64, 64, {});
    openJpeg(file.subarray(0, -40));
    expect(decodeRegion({ x: 0, y: 0, width: 8, height: 8 })).toBeNull();
  });
});

test('damaged files do no harm: refused, or decoded to something of the right size', async () => {
  const file = await encode(48, 40, {});
  const rng = Rng.seeded(2);
  let decoded = 0;
  for (let i = 0; i < 3000; i++) {
    const damaged = Buffer.from(file);
    for (let k = 0; k <= rng.integer(3); k++) damaged[rng.integer(file.length)] = rng.integer(256);
    const size = openJpeg(damaged);
    if (size === null || size.width * size.height > 1e6) continue;
    const image = decodeJpeg(damaged);
    if (image === null) continue;
    decoded++;
    expect(image.data).toHaveLength(size.width * size.height * size.channels);
  }
  expect(decoded).toBeGreaterThan(100);
  const { data } = decodeJpeg(file)!;
  expect(data).toEqual((await decodeWithSharp(file)).data);
});
