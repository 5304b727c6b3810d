/** What an agent tells the hub of the soft labels on its host. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostReport } from '@mealtable/protocol/agent-messages';
import { expect, test } from 'vitest';
import { LabelWatch } from '../../trainer/agent/label-watch.ts';
import { hashKey, type LabelKey } from '../../trainer/labels/key.ts';
import { noteTeacher } from '../../trainer/labels/teacher-notes.ts';
import { withCache } from '../labels/filled-cache.ts';
import { IMAGE_COUNT, labelsOf, makeKey, range, withFolder } from '../labels/support.ts';
import { makeReport } from '../support/core.ts';

const [TEACHER] = makeKey().teachers;
const KEY = makeKey({ teachers: [TEACHER!] });
const JOINT = makeKey({ ensemble: { kind: 'mean-logit', temperature: 2 } });

function add(folder: string, key: LabelKey, count: number, view = 0): void {
  const places = range(count);
  const views = places.map(() => view);
  withCache(folder, (cache) => cache.append(places, views, labelsOf(key, places, views)), true, key);
}
const watchOf = (folder: string) => {
  const log: string[] = [];
  return { watch: new LabelWatch(folder, (line) => log.push(line)), log };
};

test('sets that come, grow and go are told of; those that stay as they are are not', async () => {
  await withFolder(async (folder) => {
    const { watch } = watchOf(folder);
    expect(await watch.refresh()).toBe(false);
    add(folder, KEY, 20);
    expect(await watch.refresh()).toBe(true);
    expect(watch.reports).toMatchObject([{ key: hashKey(KEY), labelled: [20] }]);
    expect(await watch.refresh()).toBe(false);
    add(folder, KEY, 30);
    expect(await watch.refresh()).toBe(true);
    expect(watch.reports).toMatchObject([{ labelled: [30] }]);
    rmSync(join(folder, hashKey(KEY)), { recursive: true });
    expect(await watch.refresh()).toBe(true);
    expect(watch.reports).toEqual([]);
  });
});

test('a few new labels are told once no more come', async () => {
  await withFolder(async (folder) => {
    const { watch } = watchOf(folder);
    for (const [view, count] of [IMAGE_COUNT, IMAGE_COUNT, IMAGE_COUNT - 1].entries()) add(folder, KEY, count, view);
    expect(await watch.refresh()).toBe(true);
    // One of 180 is less than a percent.
    add(folder, KEY, IMAGE_COUNT, 2);
    expect(await watch.refresh()).toBe(false);
    expect(watch.reports[0]?.labelled).toEqual([60, 60, 59]);
    expect(await watch.refresh()).toBe(true);
    expect(watch.reports[0]?.labelled).toEqual([60, 60, 60]);
  });
});

test('a report names all that decides which labels they are, and the teachers by what was noted of them', async () => {
  await withFolder(async (folder) => {
    const { share: _, ...note } = TEACHER!;
    noteTeacher(folder, 'run_0000000000000000000001', note);
    noteTeacher(folder, 'resnet50.ram_in1k', note);
    noteTeacher(folder, 'run_0000000000000000000002', {
      ...note,
      normalisation: { ...note.normalisation, mean: [0, 0, 0] },
    });
    add(folder, JOINT, IMAGE_COUNT);
    const { watch } = watchOf(folder);
    await watch.refresh();
    expect(watch.reports).toEqual([
      {
        key: hashKey(JOINT),
        fingerprint: 'digits',
        imageCount: IMAGE_COUNT,
        teachers: [
          { ids: expect.arrayContaining(['run_0000000000000000000001', 'resnet50.ram_in1k']), share: 0.5 },
          { ids: [], share: 0.5 },
        ],
        temperature: 2,
        inputSize: 32,
        augmentationSeed: 3,
        precision: 'float32',
        classCount: 12,
        keep: 5,
        logits: true,
        labelled: [IMAGE_COUNT],
      },
    ]);
    expect(watch.reports[0]!.teachers[0]!.ids).toHaveLength(2);
    expect(HostReport.parse(makeReport({ labelSets: watch.reports })).labelSets).toEqual(watch.reports);
  });
});

test('sets that no trainer of this version reads, and what else lies there, are passed over', async () => {
  await withFolder(async (folder) => {
    // Several teachers whose softmaxes are averaged have a set each.
    add(folder, makeKey(), 5);
    add(folder, { ...KEY, views: { ...KEY.views, interpolation: 'bicubic' } }, 5);
    mkdirSync(join(folder, 'a'.repeat(64)));
    writeFileSync(join(folder, 'notes.txt'), '');
    const { watch } = watchOf(folder);
    expect(await watch.refresh()).toBe(false);
    expect(watch.reports).toEqual([]);
  });
});

test('a folder that cannot be read is said once, and what was known stays', async () => {
  await withFolder(async (folder) => {
    add(folder, KEY, 20);
    const { watch, log } = watchOf(folder);
    await watch.refresh();
    rmSync(join(folder, hashKey(KEY)), { recursive: true });
    // A file where the folder was, which even root cannot list.
    writeFileSync(join(folder, hashKey(KEY)), '');
    for (let look = 0; look < 2; look++) expect(await watch.refresh()).toBe(false);
    expect(log).toEqual([expect.stringMatching(/^The soft labels of this host cannot be counted: ENOTDIR/)]);
    expect(watch.reports).toMatchObject([{ labelled: [20] }]);
  });
});

test('an agent from before reports none', () => {
  const { labelSets: _, ...older } = makeReport();
  expect(HostReport.parse(older).labelSets).toEqual([]);
});
