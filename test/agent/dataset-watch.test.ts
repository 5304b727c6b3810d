import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DatasetWatch } from '../../trainer/agent/dataset-watch.ts';
import { findDatasets } from '../../trainer/agent/datasets.ts';
import { makeImageCheck } from '../../trainer/agent/image-check.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { makeImageFolder } from '../support/image-folder.ts';

const PATIENCE_MS = 10_000;
let dir: string;
let checked: string[];
let imageProblems: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'watch-'));
  checked = [];
  imageProblems = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function watchFolder(checkImages?: (path: string) => Promise<string[]>): DatasetWatch {
  const check = async (path: string) => {
    checked.push(path);
    return imageProblems;
  };
  const find = () => {
    const found = findDatasets(new Map(), dir, '/');
    found.delete('digits');
    return found;
  };
  return new DatasetWatch({ find, cacheFolder: null, checkImages: checkImages ?? check });
}
function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), path);
  }
}
const CATS = ['cats/train/a/1.png', 'cats/train/b/1.png', 'cats/val/a/1.png', 'cats/val/b/1.png'];

test('a dataset that comes, changes and goes is told of; one that stays as it is is not', async () => {
  const watch = watchFolder();
  expect(await watch.refresh(PATIENCE_MS)).toBe(false);
  put(...CATS);
  expect(await watch.refresh(PATIENCE_MS)).toBe(true);
  expect(watch.reports).toMatchObject([{ name: 'cats', trainCount: 2, valCount: 2, problems: [] }]);
  expect([...watch.paths]).toEqual([['cats', join(dir, 'cats')]]);
  expect(await watch.refresh(PATIENCE_MS)).toBe(false);
  await sleep(10);
  put('cats/train/b/2.png');
  expect(await watch.refresh(PATIENCE_MS)).toBe(true);
  expect(watch.reports[0]).toMatchObject({ trainCount: 3 });
  rmSync(join(dir, 'cats'), { recursive: true });
  expect(await watch.refresh(PATIENCE_MS)).toBe(true);
  expect([watch.reports, watch.paths.size]).toEqual([[], 0]);
});

test('what was wrong is mended', async () => {
  put(...CATS.slice(0, 3));
  const watch = watchFolder();
  await watch.refresh(PATIENCE_MS);
  expect(watch.reports[0]?.problems).toEqual([expect.stringMatching(/^Class b is in train/)]);
  put(CATS[3]!);
  await watch.refresh(PATIENCE_MS);
  expect(watch.reports[0]?.problems).toEqual([]);
});

test('images are looked at once, and again when there are others', async () => {
  put(...CATS);
  imageProblems = ['Most of them are damaged.'];
  const watch = watchFolder();
  await watch.refresh(PATIENCE_MS);
  expect(watch.reports[0]?.problems).toEqual(imageProblems);
  await watch.refresh(PATIENCE_MS);
  expect(checked).toHaveLength(1);
  put('cats/train/b/2.png');
  await watch.refresh(PATIENCE_MS);
  expect(checked).toHaveLength(2);
});

test('a dataset that takes long to read is said to be read, and is there later', async () => {
  put(...CATS);
  let finish = () => {};
  const slow = new Promise<string[]>((resolve) => {
    finish = () => resolve([]);
  });
  const watch = watchFolder(() => slow);
  expect(await watch.refresh(20)).toBe(true);
  expect(watch.reports).toMatchObject([
    { name: 'cats', problems: [expect.stringMatching(/cats is being read\. It can/)] },
  ]);
  finish();
  expect(await watch.refresh(PATIENCE_MS)).toBe(true);
  expect(watch.reports).toMatchObject([{ name: 'cats', trainCount: 2, problems: [] }]);
});

test('a folder of datasets that is away leaves what was known', async () => {
  put(...CATS);
  const watch = watchFolder();
  await watch.refresh(PATIENCE_MS);
  rmSync(dir, { recursive: true });
  await watch.refresh(PATIENCE_MS);
  expect(watch.reports).toMatchObject([{ name: 'cats', problems: [expect.stringMatching(/does not exist/)] }]);
});

describe('the program that looks at images', () => {
  let programs: BundledPrograms;
  beforeAll(async () => {
    programs = await bundleTrainer();
  });
  afterAll(() => programs.remove());
  const check = () => makeImageCheck(join(programs.trainer, '..', 'check-images.js'), () => {})(dir);

  test('finds nothing wrong with good ones, and counts and names the damaged', async () => {
    await makeImageFolder(dir, { classes: ['a', 'b'], train: 12, val: 2, size: 8 });
    expect(await check()).toEqual([]);
    writeFileSync(join(dir, 'train/a/000.png'), 'damaged');
    expect(await check(), 'one of 24 is within the 5 % that are tolerated').toEqual([]);
    writeFileSync(join(dir, 'train/b/001.png'), '');
    expect(await check()).toEqual([
      expect.stringMatching(/^2 of 24 images looked at in train\/ cannot be read\. .*a\/000\.png \(.*b\/001\.png \(/),
    ]);
  });

  test('no program, or one that fails: the dataset is not to blame', async () => {
    const log: string[] = [];
    expect(await makeImageCheck(join(dir, 'none.js'), () => {})(dir)).toEqual([]);
    writeFileSync(join(dir, 'fails.mjs'), 'throw new Error("no memory")');
    expect(await makeImageCheck(join(dir, 'fails.mjs'), (line) => log.push(line))(dir)).toEqual([]);
    expect(log).toEqual([expect.stringMatching(/could not be checked/)]);
    writeFileSync(join(dir, 'dies.mjs'), 'process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1000);');
    expect(await makeImageCheck(join(dir, 'dies.mjs'), () => {})(dir)).toEqual([
      expect.stringMatching(/brought the decoder down \(SIGSEGV\)/),
    ]);
  });
});
