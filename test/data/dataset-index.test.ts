import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ImageSplit } from '../../trainer/data/dataset.ts';
import { loadIndex, saveIndex } from '../../trainer/data/index-cache.ts';
import type { Listing } from '../../trainer/data/layouts/layout.ts';
import { Walk } from '../../trainer/data/layouts/walk.ts';
import { openDataset } from '../../trainer/data/open-dataset.ts';
import { PathTableBuilder } from '../../trainer/data/path-table.ts';
import { Rng } from '../../trainer/engine/rng.ts';

let root: string;
let cache: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'index-'));
  cache = join(root, 'cache');
  mkdirSync(join(root, 'data/train/a'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));
const data = () => join(root, 'data');

function makeListing(count: number, classes = 1000): Listing {
  const files = new PathTableBuilder();
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = Math.floor((i * classes) / count);
    files.add(Buffer.from(`train/n${10_000_000 + labels[i]!}/n${10_000_000 + labels[i]!}_${i}.JPEG`));
  }
  const train = { files: files.build(), labels, entries: null };
  const entries = {
    shards: Uint32Array.of(0, 0),
    offsets: Float64Array.of(512, 2 ** 33),
    lengths: Uint32Array.of(10, 20),
  };
  const shard = new PathTableBuilder();
  shard.add(Buffer.from('val-0.tar'));
  return {
    classNames: Array.from({ length: classes }, (_, i) => `n${10_000_000 + i}`),
    classLabels: null,
    splits: { train, val: { files: shard.build(), labels: Int32Array.of(0, 1), entries } },
    fingerprint: 'f',
    problems: [],
  };
}

/** As if it had been listed a minute after the last change. */
function sourceOf(...names: string[]) {
  const walk = new Walk(data());
  for (const name of names) walk.watch(Buffer.from(name));
  return { watched: walk.watched, listedAt: Date.now() + 60_000 };
}

test('1.3 million images: kept, opened and shuffled in seconds, and their names lie in memory once', () => {
  saveIndex(cache, data(), makeListing(1_300_000), sourceOf('train', 'train/a'));
  const memory = process.memoryUsage.rss();
  const began = process.cpuUsage();
  const { listing } = loadIndex(cache, data())!;
  const split = new ImageSplit(data(), listing.splits.train);
  const order = Rng.seeded(1).stream('order', 0).permutation(split.length);
  const { user, system } = process.cpuUsage(began);
  expect(split.length).toBe(1_300_000);
  expect(split.locate(1_299_999).path).toBe(join(data(), 'train/n10000999/n10000999_1299999.JPEG'));
  expect(new Set(order.subarray(0, 1000)).size).toBe(1000);
  expect((user + system) / 1e6).toBeLessThan(5);
  const bytes = listing.splits.train.files.bytes.length;
  expect(process.memoryUsage.rss() - memory).toBeLessThan(2.5 * bytes);
});

test('what is kept comes back as it was', () => {
  const listing = makeListing(20, 3);
  saveIndex(cache, data(), listing, sourceOf('train'));
  const kept = loadIndex(cache, data())!.listing;
  expect(kept).toEqual(listing);
  expect(new ImageSplit(data(), kept.splits.val).locate(1)).toEqual({
    path: join(data(), 'val-0.tar'),
    offset: 2 ** 33,
    length: 20,
  });
});

describe('what is kept no longer counts', () => {
  const isKept = () => loadIndex(cache, data()) !== null;
  beforeEach(() => {
    writeFileSync(join(data(), 'val-0.tar'), 'shard');
    saveIndex(cache, data(), makeListing(20, 3), sourceOf('', 'train', 'train/a', 'words.txt', 'val-0.tar'));
    expect(isKept()).toBe(true);
  });

  test('when an image comes or goes', async () => {
    await sleep(10);
    writeFileSync(join(data(), 'train/a/new.png'), '');
    expect(isKept()).toBe(false);
  });

  test('when a file that was not there appears', () => {
    writeFileSync(join(data(), 'words.txt'), 'a cat');
    expect(isKept()).toBe(false);
  });

  test('when a shard changes', () => {
    writeFileSync(join(data(), 'val-0.tar'), 'longer shard');
    expect(isKept()).toBe(false);
  });

  test('when it was made within the same tick as a change', () => {
    const source = sourceOf('train');
    saveIndex(cache, data(), makeListing(20, 3), { ...source, listedAt: Date.now() });
    expect(isKept()).toBe(false);
  });

  test('when its file is cut short or something else', () => {
    const file = join(cache, readdirSync(cache)[0]!);
    truncateSync(file, 700);
    expect(isKept()).toBe(false);
    writeFileSync(file, 'something else');
    expect(isKept()).toBe(false);
  });
});

test('a cache folder that cannot be made costs nothing but time', () => {
  writeFileSync(join(root, 'cache'), 'a file');
  saveIndex(cache, data(), makeListing(20, 3), sourceOf('train'));
  expect(loadIndex(cache, data())).toBeNull();
});

test('only the newest 32 are kept', () => {
  for (let i = 0; i < 34; i++) {
    saveIndex(cache, `${data()}/${i}`, makeListing(2, 2), sourceOf('train'));
    for (const name of readdirSync(cache)) utimesSync(join(cache, name), 1e9 + i, 1e9 + i);
  }
  expect(readdirSync(cache)).toHaveLength(32);
});

test('an open dataset knows when its folder has changed', async () => {
  for (const path of ['train/a', 'train/b', 'val/a', 'val/b']) {
    mkdirSync(join(data(), path), { recursive: true });
    writeFileSync(join(data(), path, '1.png'), '');
  }
  // Longer ago than the tick within which a second change could go unseen.
  await sleep(2100);
  const dataset = await openDataset(data(), null);
  expect(dataset.isUpToDate()).toBe(true);
  writeFileSync(join(data(), 'val/b/2.png'), '');
  expect(dataset.isUpToDate()).toBe(false);
});
