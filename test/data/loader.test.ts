import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { REFERENCE_VIEWS } from '../../trainer/data/augment.ts';
import { ImagePool } from '../../trainer/data/image-pool.ts';
import { type Batch, type LoaderOptions, TrainingBatches, validationBatches } from '../../trainer/data/loader.ts';
import { openDataset } from '../../trainer/data/open-dataset.ts';
import { UnreadableImages } from '../../trainer/data/unreadable-images.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { makeTar } from '../support/tar.ts';

type Split = LoaderOptions['split'];

const SIZE = 16;
const LENGTH = SIZE * SIZE * 3;
let programs: BundledPrograms;
let root: string;
let pool: ImagePool;
let train: Split;
let val: Split;
let log: string[];
let unreadable: UnreadableImages;

beforeAll(async () => {
  programs = await bundleTrainer();
  root = mkdtempSync(join(tmpdir(), 'loader-'));
  await makeImageFolder(root, { classes: ['a', 'b', 'c'], train: 15, val: 15, size: 12 });
  ({ train, val } = (await openDataset(root, null)).splits);
  pool = new ImagePool({
    workerUrl: programs.imageWorkerUrl,
    seed: 3,
    views: { inputSize: SIZE, ...REFERENCE_VIEWS },
    threads: 1,
    cacheBytes: 1e6,
  });
});
afterAll(async () => {
  await pool.close();
  rmSync(root, { recursive: true });
  await programs.remove();
});
beforeEach(() => {
  log = [];
  unreadable = new UnreadableImages({ train: 45, val: 45 }, (line) => log.push(line));
});

const training = (batchSize: number, split = train, accumulation?: number) =>
  new TrainingBatches({ pool, split, batchSize, unreadable, accumulation }, Rng.seeded(3));
const imagesOf = ({ pixels, size }: Batch) =>
  Array.from({ length: size }, (_, i) => pixels.slice(i * LENGTH, (i + 1) * LENGTH).join());
/** `split` with broken files in the given places. */
function breakPlaces(split: Split, places: number[]): Split {
  const brokenAt = (place: number) => join(root, `broken-${place}.png`);
  for (const place of places) writeFileSync(brokenAt(place), 'broken');
  return {
    length: split.length,
    labels: split.labels,
    locate: (place) =>
      places.includes(place) ? { path: brokenAt(place), offset: 0, length: null } : split.locate(place),
    describe: (place) => (places.includes(place) ? brokenAt(place) : split.describe(place)),
  };
}
async function takeEpoch(batches: TrainingBatches, epoch = 0): Promise<Batch[]> {
  const taken: Batch[] = [];
  for (let i = 0; i < batches.stepsPerEpoch; i++) taken.push(await batches.take(epoch * batches.stepsPerEpoch + i));
  return taken;
}
const labelsOf = (batches: Batch[]) => batches.flatMap(({ labels }) => [...labels]);

describe('training batches', () => {
  test('show every image once an epoch when the batch divides their number, in another order each time', async () => {
    const batches = training(9);
    expect(batches.stepsPerEpoch).toBe(5);
    const [first, second] = [await takeEpoch(batches, 0), await takeEpoch(batches, 1)];
    for (const epoch of [first, second]) {
      const counts = [0, 0, 0];
      for (const label of labelsOf(epoch)) counts[label]!++;
      expect(counts).toEqual([15, 15, 15]);
    }
    expect(labelsOf(first)).not.toEqual(labelsOf(second));
  });

  test('leave the last partial update out, unless an epoch is less than one', () => {
    expect(training(9, train, 2).stepsPerEpoch).toBe(4);
    expect(training(9, train, 5).stepsPerEpoch).toBe(5);
    expect(training(9, train, 6).stepsPerEpoch).toBe(5);
  });

  test('leave the last partial batch out, and take a dataset smaller than a batch whole', async () => {
    expect(training(10).stepsPerEpoch).toBe(4);
    expect((await training(10).take(3)).size).toBe(10);
    expect(training(100).stepsPerEpoch).toBe(1);
    expect((await training(100).take(0)).size).toBe(45);
  });

  test('depend on the step alone, not on what was taken before', async () => {
    const straight = training(7);
    const all: Batch[] = [];
    for (let step = 0; step < 14; step++) all.push(await straight.take(step));
    const jumping = training(7);
    for (const step of [13, 2, 7, 6]) {
      jumping.start(step + 1 < 14 ? step + 1 : 0);
      expect(await jumping.take(step)).toEqual(all[step]);
    }
  });

  test('put the next image of the order in an unreadable one, label included, and name it once', async () => {
    const whole = await takeEpoch(training(9));
    const order = Rng.seeded(3).stream('order', 0).permutation(45);
    // Second in the first batch: replaced from its own batch. Last of the last batch: replaced by the epoch's first image.
    const batches = training(9, breakPlaces(train, [order[1]!, order[44]!]));
    const mended = await takeEpoch(batches);
    expect(imagesOf(mended[0]!)[1]).toBe(imagesOf(whole[0]!)[2]);
    expect(mended[0]!.labels[1]).toBe(whole[0]!.labels[2]);
    expect(imagesOf(mended[4]!)[8]).toBe(imagesOf(whole[0]!)[0]);
    expect(mended[4]!.labels[8]).toBe(whole[0]!.labels[0]);
    expect(mended.map(({ size }) => size)).toEqual([9, 9, 9, 9, 9]);
    await takeEpoch(batches, 1);
    expect(unreadable.count).toBe(2);
    expect(log).toHaveLength(2);
    expect(log[0]).toMatch(/broken-\d+\.png cannot be read and is left out: /);
  });

  test('bring the teachers’ images beside the student’s, of the same places, a replaced one included', async () => {
    const order = Rng.seeded(3).stream('order', 0).permutation(45);
    const split = breakPlaces(train, [order[1]!, order[44]!]);
    const options = { pool, split, batchSize: 9, unreadable, bothSizes: [SIZE, 24] as const };
    const both = await takeEpoch(new TrainingBatches(options, Rng.seeded(3)));
    const alone = await takeEpoch(training(9, split));
    const length = 24 * 24 * 3;
    for (const [i, { teacherPixels, ...batch }] of both.entries()) {
      expect(batch).toEqual(alone[i]);
      const { places, view } = batch.source!;
      const { pixels } = await pool.render(places, places.map(train.locate.bind(train)), view, [24]);
      expect(teacherPixels).toHaveLength(9 * length);
      expect(Buffer.compare(Buffer.from(teacherPixels!), Buffer.from(pixels))).toBe(0);
    }
  });

  test('stop when more than 5 % are unreadable, with the count and the first names', async () => {
    const batches = training(45, breakPlaces(train, [1, 2, 3, 4]));
    await expect(batches.take(0)).rejects.toThrow(
      /^3 of the 45 images in train\/ cannot be read, more than the 5 % that are tolerated\. .*broken-\d+\.png, .*broken-/,
    );
  });
});

test('shards give the batches that a folder with the same images gives', async () => {
  const folder = join(root, 'shards');
  mkdirSync(folder);
  for (const [name, split] of [
    ['train', train],
    ['val', val],
  ] as const) {
    const samples = Array.from({ length: split.length }, (_, place) => [
      { name: `${place}.png`, content: readFileSync(String(split.locate(place).path)) },
      { name: `${place}.cls`, content: String(split.labels[place]) },
    ]);
    writeFileSync(join(folder, `${name}-000000.tar`), makeTar(samples.slice(0, 20).flat()));
    writeFileSync(join(folder, `${name}-000001.tar`), makeTar(samples.slice(20).flat()));
  }
  const { splits, problems } = await openDataset(folder, null);
  expect(problems).toEqual([]);
  expect(await takeEpoch(training(9, splits.train))).toEqual(await takeEpoch(training(9)));
});

describe('validation batches', () => {
  const collect = async (split: Split, batchSize: number) => {
    const batches: Batch[] = [];
    for await (const batch of validationBatches({ pool, split, batchSize, unreadable })) batches.push(batch);
    return batches;
  };

  test('hold every image once, in order, the last partial batch included', async () => {
    const batches = await collect(val, 20);
    expect(batches.map(({ size }) => size)).toEqual([20, 20, 5]);
    expect(labelsOf(batches)).toEqual([...val.labels]);
    expect(batches.flatMap(imagesOf)).toEqual((await collect(val, 45)).flatMap(imagesOf));
  });

  test('leave unreadable images out', async () => {
    const whole = (await collect(val, 45)).flatMap(imagesOf);
    const batches = await collect(breakPlaces(val, [0, 44]), 4);
    expect(batches.map(({ size }) => size)).toEqual([3, ...Array(10).fill(4)]);
    expect(batches.flatMap(imagesOf)).toEqual(whole.slice(1, 44));
    expect(labelsOf(batches)).toEqual([...val.labels].slice(1, 44));
    expect(unreadable.count).toBe(2);
  });

  test('stop when more than 5 % are unreadable', async () => {
    await expect(collect(breakPlaces(val, [0, 20, 40]), 8)).rejects.toThrow(/3 of the 45 images in val\//);
  });
});
