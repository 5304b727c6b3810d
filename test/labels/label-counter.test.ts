/** Counting a set's labels without holding them, as an agent does. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashKey } from '../../trainer/labels/key.ts';
import { LabelCounter } from '../../trainer/labels/label-counter.ts';
import { noteTeacher, readTeacherNotes } from '../../trainer/labels/teacher-notes.ts';
import { fill, KEY, withCache } from './filled-cache.ts';
import { IMAGE_COUNT, labelsOf, makeKey, range, segmentsOf, withFolder } from './support.ts';

async function count(folder: string, counter = new LabelCounter(folder, hashKey(KEY))): Promise<number[]> {
  await counter.refresh();
  return counter.countViews(100);
}
const add = (folder: string, places: number[], view: number, key = KEY) =>
  withCache(
    folder,
    (cache) => {
      const views = places.map(() => view);
      cache.append(places, views, labelsOf(key, places, views));
    },
    true,
    key,
  );

describe('a counter', () => {
  test('agrees with the cache about every view, and goes on from where it was', async () => {
    await withFolder(async (folder) => {
      const counter = new LabelCounter(folder, hashKey(KEY));
      expect(await count(folder, counter)).toEqual([]);
      expect(counter.key).toBeNull();
      fill(folder);
      expect(await count(folder, counter)).toEqual([IMAGE_COUNT]);
      add(folder, [1, 2, 3], 2);
      add(folder, [3, 4], 2);
      add(folder, [5], 150);
      expect(await count(folder, counter)).toEqual([IMAGE_COUNT, 0, 4]);
      expect(await count(folder)).toEqual([IMAGE_COUNT, 0, 4]);
      expect(hashKey(counter.key!)).toBe(hashKey(KEY));
      withCache(folder, (cache) => expect(cache.coverage(3).labelled).toBe(IMAGE_COUNT + 4));
    });
  });

  test('counts labels that were written twice once, also when a view was full already', async () => {
    await withFolder(async (folder) => {
      const counter = new LabelCounter(folder, hashKey(KEY));
      fill(folder);
      await count(folder, counter);
      fill(folder);
      expect(await count(folder, counter)).toEqual([IMAGE_COUNT]);
    });
  });

  test('begins anew when segments were deleted or became shorter', async () => {
    await withFolder(async (folder) => {
      const counter = new LabelCounter(folder, hashKey(KEY));
      const first = fill(folder);
      add(folder, range(7), 1);
      expect(await count(folder, counter)).toEqual([IMAGE_COUNT, 7]);
      rmSync(segmentsOf(folder, KEY)[1]!);
      expect(await count(folder, counter)).toEqual([IMAGE_COUNT]);
      truncateSync(first, readFileSync(first).length - 8);
      expect(await count(folder, counter)).toEqual([IMAGE_COUNT - 10]);
    });
  });

  test('passes over altered bytes and over segments of another set', async () => {
    await withFolder(async (folder) => {
      const path = fill(folder);
      const bytes = readFileSync(path);
      bytes[bytes.indexOf('LBLBLOCK') + 3]! ^= 1;
      writeFileSync(path, bytes);
      const other = makeKey({ meanLogits: false });
      writeFileSync(join(folder, hashKey(KEY), 'zzz.labels'), readFileSync(fill(folder, other)));
      expect(await count(folder)).toEqual([IMAGE_COUNT - 10]);
    });
  });
});

describe('notes on teachers', () => {
  const [note] = KEY.teachers.map(({ share: _, ...rest }) => rest);

  test('say which weights a teacher has, and the last one counts', async () => {
    await withFolder((folder) => {
      expect(readTeacherNotes(folder).size).toBe(0);
      noteTeacher(folder, 'resnet50.ram_in1k', note!);
      noteTeacher(folder, 'run_1', note!);
      noteTeacher(folder, 'run_1', { ...note!, weights: 'c'.repeat(64) });
      expect([...readTeacherNotes(folder)].sort()).toEqual([
        ['resnet50.ram_in1k', note],
        ['run_1', { ...note!, weights: 'c'.repeat(64) }],
      ]);
    });
  });

  test('of another version are as if they were not there', async () => {
    await withFolder((folder) => {
      noteTeacher(folder, 'a', note!);
      writeFileSync(join(folder, 'teachers', 'b.json'), '{"network":"x"}');
      writeFileSync(join(folder, 'teachers', 'c.json'), '{');
      expect([...readTeacherNotes(folder).keys()]).toEqual(['a']);
      noteTeacher(folder, 'c', note!);
      expect([...readTeacherNotes(folder).keys()].sort()).toEqual(['a', 'c']);
    });
  });
});
