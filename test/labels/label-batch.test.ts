import { expect, test } from 'vitest';
import { labelBatch } from '../../trainer/labels/label-batch.ts';
import { openLabelCache } from '../../trainer/labels/label-cache.ts';
import { labelsOf, makeKey, storedLabelsOf, withFolder } from './support.ts';

const KEY = makeKey();
const PLACES = [5, 2, 5, 9, 2];
const VIEWS = [0, 0, 0, 1, 1];
const pick = (positions: number[], from: number[]) => positions.map((position) => from[position]!);

test('the teachers compute what is missing, each pair once, and every run gets the same rows', async () => {
  await withFolder(async (folder) => {
    const first = openLabelCache(folder, KEY, { writable: true });
    const second = openLabelCache(folder, KEY, { writable: true });
    const asked: number[][] = [];
    const compute = (positions: number[]) => {
      asked.push(positions);
      return labelsOf(KEY, pick(positions, PLACES), pick(positions, VIEWS));
    };
    first.append([2], [0], labelsOf(KEY, [2], [0]));
    const stored = storedLabelsOf(KEY, PLACES, VIEWS);
    const computing = await labelBatch(first, PLACES, VIEWS, compute);
    const reading = await labelBatch(second, PLACES, VIEWS, compute);
    expect(asked).toEqual([[0, 3, 4]]);
    expect(computing).toEqual({ ...stored, computed: 3, storeError: null });
    expect(reading).toEqual({ ...stored, computed: 0, storeError: null });
    first.close();
    second.close();
  });
});

test('without mean logits in the key there are none in the batch', async () => {
  await withFolder(async (folder) => {
    const key = makeKey({ meanLogits: false });
    const cache = openLabelCache(folder, key, { writable: true });
    const batch = await labelBatch(cache, PLACES, VIEWS, async (positions) =>
      labelsOf(key, pick(positions, PLACES), pick(positions, VIEWS)),
    );
    expect(batch).toEqual({ ...storedLabelsOf(key, PLACES, VIEWS), computed: 4, storeError: null });
    expect(batch.meanLogits).toBeNull();
    cache.close();
  });
});

test('what the teachers must not say is not stored and stops the run', async () => {
  await withFolder(async (folder) => {
    const cache = openLabelCache(folder, KEY, { writable: true });
    const nothing = {
      probabilities: new Float32Array(4 * KEY.classCount),
      meanLogits: new Float32Array(4 * KEY.classCount),
    };
    await expect(labelBatch(cache, PLACES, VIEWS, () => nothing)).rejects.toThrow('no probabilities');
    expect(cache.coverage(2).labelled).toBe(0);
    cache.close();
  });
});
