import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { centreView, REFERENCE_VIEWS, randomView } from '../../trainer/data/augment.ts';
import type { ImageLocation } from '../../trainer/data/dataset.ts';
import { decodeImage } from '../../trainer/data/decode.ts';
import { ImagePool } from '../../trainer/data/image-pool.ts';
import { renderView } from '../../trainer/data/render-view.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { encodePng, patternPixels } from '../support/image-folder.ts';

const SIZE = 16;
const VIEWS = { inputSize: SIZE, ...REFERENCE_VIEWS };
const LENGTH = SIZE * SIZE * 3;
let programs: BundledPrograms;
let folder: string;
const file = (name: string) => join(folder, name);
const at = (name: string): ImageLocation => ({ path: file(name), offset: 0, length: null });
const decodeFile = (name: string) => decodeImage(readFileSync(file(name)));

beforeAll(async () => {
  programs = await bundleTrainer();
  folder = mkdtempSync(join(tmpdir(), 'pool-'));
  for (let i = 0; i < 9; i++) {
    writeFileSync(file(`${i}.png`), await encodePng(patternPixels(20 + i, 18, 3, i), 20 + i, 18, 3));
  }
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await programs.remove();
});

async function withPool<T>(threads: number, cacheBytes: number, use: (pool: ImagePool) => Promise<T>): Promise<T> {
  const pool = new ImagePool({ workerUrl: programs.imageWorkerUrl, seed: 5, views: VIEWS, threads, cacheBytes });
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

const places = [4, 0, 8, 3, 3, 7];
const locations = () => places.map((place) => at(`${place}.png`));

test('an image arrives as the view of its seed, place and epoch', async () => {
  const { pixels, failures } = await withPool(1, 1e6, (pool) => pool.render(places, locations(), 2));
  expect(failures).toEqual(places.map(() => null));
  for (const [i, place] of places.entries()) {
    const image = await decodeFile(`${place}.png`);
    const view = randomView(Rng.seeded(5).stream('view', 2, place), image.width, image.height, SIZE);
    const expected = new Uint8Array(LENGTH);
    renderView(image, view, 'bilinear', expected, 0);
    expect(pixels.subarray(i * LENGTH, (i + 1) * LENGTH)).toEqual(expected);
  }
});

test('at several sizes it is one and the same crop, each resized from the image itself', async () => {
  writeFileSync(
    file('large.jpg'),
    await sharp(patternPixels(90, 64, 3, 1), { raw: { width: 90, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer(),
  );
  const all = [...places.map((place) => at(`${place}.png`)), at('large.jpg')];
  const allPlaces = [...places, 9];
  for (const epoch of [1, null])
    for (const [threads, cacheBytes] of [
      [1, 0],
      [3, 1e6],
    ] as const)
      await withPool(threads, cacheBytes, async (pool) => {
        const both = await pool.render(allPlaces, all, epoch, [SIZE, 24]);
        expect(both.more.map(({ length }) => length)).toEqual([allPlaces.length * 24 * 24 * 3]);
        expect(both.pixels).toEqual((await pool.render(allPlaces, all, epoch)).pixels);
        expect(both.more[0]).toEqual((await pool.render(allPlaces, all, epoch, [24])).pixels);
      });
  const image = await decodeFile('large.jpg');
  const boxes = [SIZE, 24].map((size) =>
    randomView(Rng.seeded(5).stream('view', 1, 9), image.width, image.height, size),
  );
  expect(boxes[0]).toMatchObject({ box: boxes[1]!.box, flip: boxes[1]!.flip });
});

test('neither the number of threads nor the memory for images changes a number', async () => {
  const results = [];
  for (const [threads, cacheBytes] of [
    [1, 0],
    [1, 2000],
    [3, 1e6],
  ] as const) {
    results.push(
      await withPool(threads, cacheBytes, async (pool) => {
        const first = await pool.render(places, locations(), 1);
        const again = await pool.render(places, locations(), 1);
        expect(again.pixels).toEqual(first.pixels);
        return [first.pixels, (await pool.render(places, locations(), null)).pixels];
      }),
    );
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test('a JPEG decoded in part is what it is when it is decoded whole and kept, and unreadable in both cases', async () => {
  const names = await Promise.all(
    [70, 75, 80].map(async (quality, i) => {
      const jpeg = await sharp(patternPixels(90, 64, 3, i), { raw: { width: 90, height: 64, channels: 3 } })
        .jpeg({ quality })
        .toBuffer();
      // The last one is damaged behind the middle, where not every view reaches.
      writeFileSync(file(`${i}.jpg`), i === 2 ? jpeg.subarray(0, jpeg.length * 0.8) : jpeg);
      return `${i}.jpg`;
    }),
  );
  const render = (cacheBytes: number) =>
    withPool(1, cacheBytes, async (pool) => {
      const epochs = [];
      for (const epoch of [0, 1, 2, null]) epochs.push(await pool.render([0, 1, 2], names.map(at), epoch));
      return epochs.map(({ pixels, failures }) => ({ pixels, failures }));
    });
  const inPart = await render(0);
  expect(await render(1e6)).toEqual(inPart);
  for (const { failures } of inPart) expect(failures.map((reason) => reason !== null)).toEqual([false, false, true]);
});

test('many requests at once are each answered with their own images', async () => {
  await withPool(2, 1e6, async (pool) => {
    const one = await Promise.all(places.map((place, i) => pool.render([place], [locations()[i]!], 0)));
    const all = await pool.render(places, locations(), 0);
    one.forEach(({ pixels }, i) => {
      expect(pixels).toEqual(all.pixels.slice(i * LENGTH, (i + 1) * LENGTH));
    });
  });
});

describe('files that are not plain colour images', () => {
  const decoded = async (name: string, bytes: Uint8Array) => {
    writeFileSync(file(name), bytes);
    return decodeFile(name);
  };

  test('grey becomes one channel that serves for all three', async () => {
    const grey = patternPixels(10, 9, 1);
    const image = await decoded('grey.png', await encodePng(grey, 10, 9, 1));
    expect(image).toMatchObject({ width: 10, height: 9, channels: 1 });
    expect([...image.data]).toEqual([...grey]);
    const out = new Uint8Array(LENGTH);
    renderView(image, centreView(10, 9, VIEWS), 'bilinear', out, 0);
    for (let i = 0; i < LENGTH; i += 3) {
      expect(out[i + 1]).toBe(out[i]);
      expect(out[i + 2]).toBe(out[i]);
    }
  });

  test('alpha is dropped, not blended', async () => {
    const rgba = patternPixels(6, 6, 4);
    const { data, channels } = await decoded('alpha.png', await encodePng(rgba, 6, 6, 4));
    expect(channels).toBe(3);
    expect([...data]).toEqual([...rgba].filter((_, i) => i % 4 !== 3));
  });

  test('the EXIF orientation is ignored', async () => {
    const jpeg = await sharp(patternPixels(24, 12, 3), { raw: { width: 24, height: 12, channels: 3 } })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(await decoded('turned.jpg', jpeg)).toMatchObject({ width: 24, height: 12 });
  });
});

test('an unreadable image leaves zeros and its reason, the others are as ever', async () => {
  const whole = await encodePng(patternPixels(64, 64, 3), 64, 64, 3);
  writeFileSync(file('cut.png'), whole.subarray(0, whole.length / 2));
  writeFileSync(file('empty.png'), '');
  writeFileSync(file('text.jpg'), 'not an image');
  const bad = ['cut.png', 'empty.png', 'text.jpg', 'missing.png'].map(at);
  await withPool(2, 1e6, async (pool) => {
    const good = await pool.render([0], [at('0.png')], 0);
    const { pixels, failures } = await pool.render(
      [1, 2, 0, 3, 4],
      [bad[0]!, bad[1]!, at('0.png'), bad[2]!, bad[3]!],
      0,
    );
    expect(failures.map((reason) => reason !== null && reason.length > 0)).toEqual([true, true, false, true, true]);
    expect(pixels.slice(2 * LENGTH, 3 * LENGTH)).toEqual(good.pixels);
    expect(pixels.slice(0, 2 * LENGTH).every((x) => x === 0)).toBe(true);
  });
});

test('a thread that cannot start rejects what was asked of it', async () => {
  const workerUrl = new URL('./no-such-program.js', programs.imageWorkerUrl);
  const pool = new ImagePool({ workerUrl, seed: 1, views: VIEWS, threads: 1, cacheBytes: 0 });
  await expect(pool.render([0], [at('0.png')], 0)).rejects.toThrow(/no-such-program/);
  await pool.close();
});
