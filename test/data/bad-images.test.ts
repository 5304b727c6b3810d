/** Files that are not plain colour pictures: what becomes of each. */
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { centreView } from '../../trainer/data/augment.ts';
import { decodeImage } from '../../trainer/data/decode.ts';
import { renderView } from '../../trainer/data/render-view.ts';
import { encodePng, patternPixels } from '../support/image-folder.ts';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A PNG file from lines of raw samples. `more` goes between header and pixels. */
function makePng(
  width: number,
  height: number,
  [depth, colour]: [number, number],
  lines: Buffer,
  more: Buffer = Buffer.alloc(0),
) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const end = chunk('IEND', Buffer.alloc(0));
  return Buffer.concat([signature, chunk('IHDR', header), more, chunk('IDAT', deflateSync(lines)), end]);
}

test('16 bits: the upper 8 count', async () => {
  // One line of two pixels, after its filter byte.
  const colour = Buffer.from([0, 0x12, 0xff, 0x34, 0x00, 0x56, 0x80, 0x78, 0x01, 0x9a, 0xfe, 0xbc, 0x7f]);
  expect([...(await decodeImage(makePng(2, 1, [16, 2], colour))).data]).toEqual([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc]);
  const grey = Buffer.from([0, 0x12, 0xff, 0x34, 0x00]);
  expect(await decodeImage(makePng(2, 1, [16, 0], grey))).toMatchObject({
    channels: 1,
    data: Uint8Array.of(0x12, 0x34),
  });
});

test('a palette and black and white become colours', async () => {
  const palette = chunk('PLTE', Buffer.from([10, 20, 30, 40, 50, 60]));
  const { data } = await decodeImage(makePng(2, 1, [8, 3], Buffer.from([0, 1, 0]), palette));
  expect([...data]).toEqual([40, 50, 60, 10, 20, 30]);
  expect([...(await decodeImage(makePng(2, 1, [1, 0], Buffer.from([0, 0b01000000])))).data]).toEqual([0, 255]);
});

test('an animated picture is its first frame', async () => {
  const control = Buffer.alloc(8);
  control.writeUInt32BE(2);
  const frame = Buffer.alloc(26);
  frame.writeUInt32BE(1, 4);
  frame.writeUInt32BE(1, 8);
  const animation = Buffer.concat([chunk('acTL', control), chunk('fcTL', frame)]);
  const { data } = await decodeImage(makePng(1, 1, [8, 2], Buffer.from([0, 1, 2, 3]), animation));
  expect([...data]).toEqual([1, 2, 3]);
});

test('a turned picture stays as it is stored, in whole and in part', async () => {
  const jpeg = await sharp(patternPixels(24, 16, 3), { raw: { width: 24, height: 16, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  expect(await decodeImage(jpeg)).toMatchObject({ width: 24, height: 16 });
});

test('one pixel fills the whole view', async () => {
  const image = await decodeImage(await encodePng(Uint8Array.of(9, 8, 7), 1, 1, 3));
  const out = new Uint8Array(16 * 16 * 3);
  renderView(image, centreView(1, 1, { inputSize: 16, cropFraction: 0.875 }), 'bicubic', out, 0);
  expect(out.every((value, i) => value === [9, 8, 7][i % 3])).toBe(true);
});

test('a line of pixels as wide as the limits allow', async () => {
  const image = await decodeImage(await encodePng(new Uint8Array(3000 * 3).fill(50), 3000, 1, 3));
  const out = new Uint8Array(16 * 16 * 3);
  renderView(image, centreView(3000, 1, { inputSize: 16, cropFraction: 0.875 }), 'bilinear', out, 0);
  expect(new Set(out)).toEqual(new Set([50]));
});

test('a tiny file that unpacks to more than memory should hold is refused', async () => {
  const bomb = makePng(40_000, 40_000, [8, 0], Buffer.alloc(0));
  await expect(decodeImage(bomb)).rejects.toThrow(/exceeds pixel limit/);
});

test.each([
  [
    'cut short, JPEG',
    async () =>
      (
        await sharp(patternPixels(64, 64, 3), { raw: { width: 64, height: 64, channels: 3 } })
          .jpeg()
          .toBuffer()
      ).subarray(0, 900),
  ],
  ['cut short, PNG', async () => (await encodePng(patternPixels(64, 64, 3), 64, 64, 3)).subarray(0, 900)],
  ['empty', async () => Buffer.alloc(0)],
  ['a text', async () => Buffer.from('not an image')],
  [
    'a page of HTML with a JPEG’s first bytes',
    async () => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.from('<html>')]),
  ],
])('%s: the reason is one that can be shown', async (_what, make) => {
  const error = await decodeImage(await make()).catch((reason: Error) => reason);
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message.length).toBeGreaterThan(5);
});
