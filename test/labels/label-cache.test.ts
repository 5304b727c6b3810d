import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { hashKey, type LabelKey } from '../../trainer/labels/key.ts';
import { type LabelCache, openLabelCache } from '../../trainer/labels/label-cache.ts';
import { IMAGE_COUNT, labelsOf, makeKey, range, segmentsOf, storedLabelsOf, withFolder } from './support.ts';

const KEY = makeKey();
const ALL = range(IMAGE_COUNT);
const view = (number: number) => ALL.map(() => number);

function withCache<T>(folder: string, use: (cache: LabelCache) => T, writable = true, key: LabelKey = KEY): T {
  const cache = openLabelCache(folder, key, { writable });
  try {
    return use(cache);
  } finally {
    cache.close();
  }
}

/** Writes view 0 of all images in blocks of ten. Returns the segment's path. */
function fill(folder: string, key: LabelKey = KEY): string {
  withCache(
    folder,
    (cache) => {
      for (let begin = 0; begin < IMAGE_COUNT; begin += 10) {
        const places = range(10, begin);
        cache.append(places, view(0).slice(0, 10), labelsOf(key, places, view(0)));
      }
    },
    true,
    key,
  );
  return segmentsOf(folder, key).at(-1)!;
}

/** Every row that a lookup of view 0 gives must be the right one. Returns what is missing. */
function expectRightRows(cache: LabelCache, key: LabelKey = KEY): number[] {
  const { probabilities, meanLogits, missing } = cache.lookup(ALL, view(0));
  const stored = storedLabelsOf(key, ALL, view(0));
  for (const place of missing) {
    stored.probabilities.fill(0, place * key.classCount, (place + 1) * key.classCount);
    stored.meanLogits?.fill(0, place * key.classCount, (place + 1) * key.classCount);
  }
  expect(probabilities).toEqual(stored.probabilities);
  expect(meanLogits).toEqual(stored.meanLogits);
  return missing;
}

for (const change of [
  {},
  { meanLogits: false },
  { labels: { kind: 'full' } },
  { labels: { kind: 'top-k', k: 10 }, meanLogits: false },
] as const) {
  test(`what was appended is found again, also after reopening: ${JSON.stringify(change)}`, async () => {
    await withFolder((folder) => {
      const key = makeKey(change);
      fill(folder, key);
      withCache(folder, (cache) => expect(expectRightRows(cache, key)).toEqual([]), false, key);
    });
  });
}

test('lookup names what is missing, and append returns what every later lookup gives', async () => {
  await withFolder((folder) =>
    withCache(folder, (cache) => {
      const [places, views] = [
        [7, 3, 9, 3],
        [1, 0, 1, 2],
      ];
      expect(cache.lookup(places, views).missing).toEqual([0, 1, 2, 3]);
      const appended = cache.append(places.slice(1, 3), views.slice(1, 3), labelsOf(KEY, [3, 9], [0, 1]));
      expect(cache.lookup([3, 9], [0, 1])).toEqual({ ...appended, missing: [] });
      expect(cache.lookup(places, views).missing).toEqual([0, 3]);
      // The same pair twice in one request, and neighbours of a block in another order.
      const again = cache.lookup([9, 3, 9], [1, 0, 1]);
      const stored = storedLabelsOf(KEY, [9, 3, 9], [1, 0, 1]);
      expect(again).toEqual({ ...stored, missing: [] });
    }),
  );
});

test('coverage counts pairs of the views that are asked for, each once', async () => {
  await withFolder((folder) => {
    fill(folder);
    withCache(folder, (cache) => {
      cache.append([1, 2], [0, 1], labelsOf(KEY, [1, 2], [0, 1]));
      cache.append([2, 3], [5, 1], labelsOf(KEY, [2, 3], [5, 1]));
      const labelled = [1, 2, 6].map((views) => cache.coverage(views).labelled);
      expect(labelled).toEqual([IMAGE_COUNT, IMAGE_COUNT + 2, IMAGE_COUNT + 3]);
      const sizes = segmentsOf(folder, KEY).map((path) => readFileSync(path).length);
      expect(cache.coverage(2)).toEqual({
        labelled: IMAGE_COUNT + 2,
        total: 2 * IMAGE_COUNT,
        sizeBytes: sizes[0]! + sizes[1]!,
      });
      expect(cache.verify().intactRecords).toBe(IMAGE_COUNT + 4);
    });
  });
});

test('a cache that is open sees what others append, and what several opened at once', async () => {
  await withFolder((folder) =>
    withCache(
      folder,
      (reader) =>
        withCache(folder, (one) =>
          withCache(folder, (two) => {
            expect(reader.lookup([4], [0]).missing).toEqual([0]);
            one.append([4], [0], labelsOf(KEY, [4], [0]));
            two.append([4, 5], [0, 0], labelsOf(KEY, [4, 5], [0, 0]));
            one.append([6], [0], labelsOf(KEY, [6], [0]));
            for (const cache of [reader, one, two])
              expect(cache.lookup([4, 5, 6], [0, 0, 0])).toEqual({
                ...storedLabelsOf(KEY, [4, 5, 6], [0, 0, 0]),
                missing: [],
              });
            reader.refresh();
            expect(reader.coverage(1).labelled).toBe(3);
          }),
        ),
      false,
    ),
  );
});

test('reading makes no folder and no file, and cannot append', async () => {
  await withFolder((folder) =>
    withCache(
      folder,
      (cache) => {
        expect(cache.lookup([0], [0]).missing).toEqual([0]);
        expect(cache.coverage(3)).toEqual({ labelled: 0, total: 3 * IMAGE_COUNT, sizeBytes: 0 });
        expect(() => cache.append([0], [0], labelsOf(KEY, [0], [0]))).toThrow('reading only');
        expect(existsSync(join(folder, hashKey(KEY)))).toBe(false);
      },
      false,
    ),
  );
});

test('what does not fit the key is refused, and nothing of it is stored', async () => {
  await withFolder((folder) =>
    withCache(folder, (cache) => {
      const rows = labelsOf(KEY, [1, 2], [0, 0]);
      expect(() => cache.append([1, IMAGE_COUNT], [0, 0], rows)).toThrow('no image 60');
      expect(() => cache.append([1, 2], [0, -1], rows)).toThrow('A view is');
      expect(() => cache.append([1, 2], [0], rows)).toThrow('2 images, but 1 views');
      expect(() => cache.append([1], [0], rows)).toThrow('1 views must be 1 rows');
      expect(() => cache.append([1, 2], [0, 0], { ...rows, meanLogits: null })).toThrow('mean logits');
      rows.probabilities[KEY.classCount] = Number.NaN;
      expect(() => cache.append([1, 2], [0, 0], rows)).toThrow('image 2, view 0');
      expect(() => cache.lookup([IMAGE_COUNT], [0])).toThrow('no image 60');
      expect(cache.lookup([1, 2], [0, 0]).missing).toEqual([0, 1]);
      expect(segmentsOf(folder, KEY)).toEqual([]);
    }),
  );
});

test('labels of another key are never used, even in the folder of this one', async () => {
  await withFolder((folder) => {
    const other = makeKey({ dataset: { fingerprint: 'letters', imageCount: IMAGE_COUNT } });
    const foreign = fill(folder, other);
    fill(folder);
    const copy = join(folder, hashKey(KEY), basename(foreign));
    copyFileSync(foreign, copy);
    withCache(folder, (cache) => {
      expect(cache.lookup(ALL, view(0)).missing).toEqual([]);
      const { intactRecords, segments } = cache.verify();
      expect(intactRecords).toBe(IMAGE_COUNT);
      expect(segments.filter(({ isForeign }) => isForeign).map(({ name }) => name)).toEqual([basename(copy)]);
    });
    // Not even block by block, behind this key's own head.
    const [own, theirs] = [segmentsOf(folder, KEY).find((path) => path !== copy)!, readFileSync(foreign)];
    const head = readFileSync(own).indexOf('LBLBLOCK');
    writeFileSync(
      own,
      Buffer.concat([readFileSync(own).subarray(0, head), theirs.subarray(theirs.indexOf('LBLBLOCK'))]),
    );
    withCache(folder, (cache) => expect(cache.lookup(ALL, view(0)).missing).toEqual(ALL));
  });
});

test('whichever byte is altered, lookups give right rows or none, and what was lost can be written anew', async () => {
  await withFolder((folder) => {
    const segment = fill(folder);
    const good = readFileSync(segment);
    const rng = Rng.seeded(1);
    const firstBlock = good.indexOf('LBLBLOCK');
    // Random places, and every byte of the first block's head.
    const places = [...range(40, firstBlock), ...range(160).map(() => rng.integer(good.length))];
    let lost = 0;
    for (const at of places) {
      const bytes = Buffer.from(good);
      bytes[at]! ^= 1 << rng.integer(8);
      writeFileSync(segment, bytes);
      withCache(
        folder,
        (cache) => {
          const missing = expectRightRows(cache);
          lost += missing.length;
          // A record at most, the records of a block if its head or pairs are concerned, all with the file's head.
          expect(missing.length).toBeLessThanOrEqual(at < firstBlock ? IMAGE_COUNT : 10);
          const { damagedRecords, segments } = cache.verify();
          const skipped = segments.some(({ unreadableBytes, isForeign }) => unreadableBytes > 0 || isForeign);
          if (missing.length > 0) expect(damagedRecords.length > 0 || skipped).toBe(true);
        },
        false,
      );
    }
    expect(lost).toBeGreaterThan(200);
  });
});

test('a view whose record was altered is labelled anew once, and then found by everybody', async () => {
  await withFolder((folder) => {
    const segment = fill(folder);
    const bytes = readFileSync(segment);
    bytes[bytes.length - 20]! ^= 4;
    writeFileSync(segment, bytes);
    withCache(folder, (cache) => {
      const { missing } = cache.lookup(ALL, view(0));
      expect(missing).toHaveLength(1);
      expect(cache.damagedRecords).toBe(1);
      expect(cache.coverage(1).labelled).toBe(IMAGE_COUNT - 1);
      cache.append(missing, [0], labelsOf(KEY, missing, [0]));
      expect(expectRightRows(cache)).toEqual([]);
    });
    withCache(folder, (cache) => {
      expect(expectRightRows(cache)).toEqual([]);
      expect(cache.damagedRecords).toBe(0);
      expect(cache.verify().damagedRecords).toHaveLength(1);
    });
  });
});

test('after a loss, blocks of one writer replace altered ones of a newer segment too', async () => {
  await withFolder((folder) =>
    withCache(folder, (first) => {
      first.append([0], [0], labelsOf(KEY, [0], [0]));
      const segment = fill(folder);
      first.refresh();
      const bytes = readFileSync(segment);
      bytes[bytes.length - 20]! ^= 4;
      writeFileSync(segment, bytes);
      const { missing } = first.lookup(ALL, view(0));
      first.append(missing, [0], labelsOf(KEY, missing, [0]));
      withCache(folder, (cache) => {
        expect(expectRightRows(cache)).toEqual([]);
        expect(cache.damagedRecords).toBe(0);
      });
    }),
  );
});

test('cut off anywhere, a file costs the block that was cut and those after it', async () => {
  await withFolder((folder) => {
    const segment = fill(folder);
    const good = readFileSync(segment);
    const starts: number[] = [];
    for (let at = good.indexOf('LBLBLOCK'); at >= 0; at = good.indexOf('LBLBLOCK', at + 1)) starts.push(at);
    expect(starts).toHaveLength(6);
    const rng = Rng.seeded(2);
    const lengths = [
      0,
      1,
      15,
      16,
      ...starts,
      ...starts.map((at) => at + 1),
      ...range(40).map(() => rng.integer(good.length)),
    ];
    for (const length of lengths) {
      writeFileSync(segment, good.subarray(0, length));
      const whole = starts.filter((_, i) => (starts[i + 1] ?? good.length) <= length).length;
      withCache(
        folder,
        (cache) => expect(expectRightRows(cache)).toEqual(range(IMAGE_COUNT - 10 * whole, 10 * whole)),
        false,
      );
    }
  });
});

test('a file cut while it is open loses only what is gone, and one that grows is read on where it ended', async () => {
  await withFolder((folder) => {
    const segment = fill(folder);
    const good = readFileSync(segment);
    withCache(
      folder,
      (cache) => {
        truncateSync(segment, good.length - 300);
        const missing = expectRightRows(cache);
        expect(missing.length).toBeGreaterThan(0);
        expect(missing.length).toBeLessThanOrEqual(10);
      },
      false,
    );
    truncateSync(segment, good.length - 300);
    withCache(
      folder,
      (cache) => {
        expect(cache.coverage(1).labelled).toBe(IMAGE_COUNT - 10);
        writeFileSync(segment, good);
        expect(expectRightRows(cache)).toEqual([]);
      },
      false,
    );
  });
});
