/** A cache with view 0 of every image, and what a lookup of it may give. */
import { expect } from 'vitest';
import type { LabelKey } from '../../trainer/labels/key.ts';
import { type LabelCache, openLabelCache } from '../../trainer/labels/label-cache.ts';
import type { LabelRows } from '../../trainer/labels/record-codec.ts';
import { IMAGE_COUNT, labelsOf, makeKey, range, segmentsOf, storedLabelsOf } from './support.ts';

export const KEY = makeKey();
export const ALL = range(IMAGE_COUNT);
export const view = (number: number) => ALL.map(() => number);

export function withCache<T>(folder: string, use: (cache: LabelCache) => T, writable = true, key: LabelKey = KEY): T {
  const cache = openLabelCache(folder, key, { writable });
  try {
    return use(cache);
  } finally {
    cache.close();
  }
}

/** Writes view 0 of all images in blocks of ten. Returns the segment's path. */
export function fill(folder: string, key: LabelKey = KEY): string {
  // Segments sort by the millisecond in which they began: this one is to be the last.
  for (const now = Date.now(); Date.now() === now; );
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

const storedOfKey = new Map<LabelKey, LabelRows>();
function storedRows(key: LabelKey): LabelRows {
  if (!storedOfKey.has(key)) storedOfKey.set(key, storedLabelsOf(key, ALL, view(0)));
  return structuredClone(storedOfKey.get(key)!);
}

/** Every row that a lookup of view 0 gives must be the right one. Returns what is missing. */
export function expectRightRows(cache: LabelCache, key: LabelKey = KEY): number[] {
  const { probabilities, meanLogits, missing } = cache.lookup(ALL, view(0));
  const stored = storedRows(key);
  for (const place of missing) {
    stored.probabilities.fill(0, place * key.classCount, (place + 1) * key.classCount);
    stored.meanLogits?.fill(0, place * key.classCount, (place + 1) * key.classCount);
  }
  expect(probabilities).toEqual(stored.probabilities);
  expect(meanLogits).toEqual(stored.meanLogits);
  return missing;
}
