import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scanImageFolder } from '../../trainer/data/image-folder.ts';
import { listImageFolder } from '../../trainer/data/list-images.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'images-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
}
const problemsOf = async (path = root) => (await listImageFolder(path)).problems;

test('classes are numbered in sorted order, images sorted within a class, other files ignored', async () => {
  put('train/b/2.JPG', 'train/b/1.png', 'train/a10/x.jpeg', 'train/a9/deep/er/y.png', 'train/b/notes.txt');
  put('train/b/.hidden.png', 'train/.cache/z.png', 'train/readme.png', 'val/a9/v.png', 'val/a10/v.png', 'val/b/v.png');
  const { classNames, splits, problems } = await listImageFolder(root);
  expect(problems).toEqual([]);
  expect(classNames).toEqual(['a10', 'a9', 'b']);
  expect(splits.train.paths.map((path) => relative(root, path))).toEqual([
    'train/a10/x.jpeg',
    'train/a9/deep/er/y.png',
    'train/b/1.png',
    'train/b/2.JPG',
  ]);
  expect([...splits.train.labels]).toEqual([0, 1, 2, 2]);
  expect([...splits.val.labels]).toEqual([0, 1, 2]);
});

test('links to files and folders are followed, circles end', async () => {
  put('store/1.png', 'store/more/2.png', 'train/b/3.png', 'val/a/4.png', 'val/b/5.png');
  symlinkSync(join(root, 'store'), join(root, 'train', 'a'));
  symlinkSync(join(root, 'train', 'b', '3.png'), join(root, 'store', 'linked.png'));
  symlinkSync(join(root, 'store'), join(root, 'store', 'more', 'circle'));
  symlinkSync('/nowhere', join(root, 'store', 'broken.png'));
  const { splits, problems } = await listImageFolder(root);
  expect(problems).toEqual([]);
  expect([...splits.train.labels]).toEqual([0, 0, 0, 1]);
});

describe('what is wrong is said in sentences', () => {
  test('no such folder, and a file in its place', async () => {
    expect(await problemsOf(join(root, 'x'))).toEqual([expect.stringMatching(/does not exist\. Give the folder/)]);
    put('file');
    expect(await problemsOf(join(root, 'file'))).toEqual([expect.stringMatching(/is not a folder/)]);
  });

  test('train/ or val/ missing', async () => {
    put('train/a/1.png', 'train/b/1.png');
    expect(await problemsOf()).toEqual([expect.stringMatching(/has no folder val\//)]);
    rmSync(join(root, 'train'), { recursive: true });
    expect(await problemsOf()).toHaveLength(2);
  });

  test('a class in one split only', async () => {
    put('train/a/1.png', 'train/b/1.png', 'train/c/1.png', 'val/a/1.png', 'val/b/1.png');
    expect(await problemsOf()).toEqual([expect.stringMatching(/^Class c is in train\/ but not in val\//)]);
  });

  test('many such classes are counted, not all named', async () => {
    put('val/a/1.png', 'train/a/1.png', ...Array.from({ length: 12 }, (_, i) => `val/c${10 + i}/1.png`));
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/^Classes c10, c11, c12, c13, c14 and 7 more are in val/),
    ]);
  });

  test('an empty class', async () => {
    put('train/a/1.png', 'train/b/1.png', 'val/a/1.png', 'val/b/notes.txt');
    expect(await problemsOf()).toEqual([expect.stringMatching(/^Class b has no JPEG or PNG image in val\//)]);
  });

  test('no images at all', async () => {
    put('train/1.png', 'val/1.png');
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/^train\/ holds no JPEG or PNG images/),
      expect.stringMatching(/^val\/ holds no/),
    ]);
  });

  test('one class alone', async () => {
    put('train/a/1.png', 'val/a/1.png');
    expect(await problemsOf()).toEqual([expect.stringMatching(/only one class, a\./)]);
  });

  test('a folder that cannot be opened', async () => {
    expect(await problemsOf(`/${'x'.repeat(5000)}`)).toEqual([expect.stringMatching(/cannot be opened/)]);
  });
});

describe('the fingerprint', () => {
  test('is the same in another place and changes with a name or a size', async () => {
    const fill = () => put('train/a/1.png', 'train/b/1.png', 'val/a/1.png', 'val/b/1.png');
    fill();
    const first = (await scanImageFolder(root)).fingerprint;
    const before = root;
    root = mkdtempSync(join(tmpdir(), 'images-'));
    fill();
    expect((await scanImageFolder(root)).fingerprint).toBe(first);
    rmSync(before, { recursive: true });
    writeFileSync(join(root, 'val/b/1.png'), 'another size');
    const second = (await scanImageFolder(root)).fingerprint;
    put('val/b/2.png');
    const third = (await scanImageFolder(root)).fingerprint;
    expect(new Set([first, second, third]).size).toBe(3);
  });
});

test('the demo data: 10 classes, 1,442 images to train and 355 to validate', async () => {
  const report = await scanImageFolder(resolve(import.meta.dirname, '../../trainer/datasets/digits'));
  expect(report).toMatchObject({ trainCount: 1442, valCount: 355, problems: [] });
  expect(report.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});
