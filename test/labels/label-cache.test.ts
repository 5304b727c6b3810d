import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { hashKey } from '../../trainer/labels/key.ts';
import { ALL, expectRightRows, fill, KEY, view, withCache } from './filled-cache.ts';
import { IMAGE_COUNT, labelsOf, makeKey, segmentsOf, storedLabelsOf, withFolder } from './support.ts';

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
      expect(cache.unlabelled(0)).toEqual([]);
      expect(cache.unlabelled(1)).toEqual(ALL.filter((place) => place !== 2 && place !== 3));
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
            two.append([7], [0], labelsOf(KEY, [7], [0]));
            expect(reader.coverage(1).labelled).toBe(4);
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
