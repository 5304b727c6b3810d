import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImageSplit } from '../../trainer/data/dataset.ts';
import { openDataset } from '../../trainer/data/open-dataset.ts';
import { readImage } from '../../trainer/data/read-image.ts';

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
const namesOf = (split: ImageSplit) =>
  Array.from({ length: split.length }, (_, place) => relative(root, String(split.locate(place).path)));
const problemsOf = async (path = root) => (await openDataset(path, null)).problems;

test('classes are numbered in sorted order, images sorted within a class, other files ignored', async () => {
  put('train/b/2.JPG', 'train/b/1.png', 'train/a10/x.jpeg', 'train/a9/deep/er/y.png', 'train/b/notes.txt');
  put('train/b/.hidden.png', 'train/.cache/z.png', 'train/readme.png', 'val/a9/v.png', 'val/a10/v.png', 'val/b/v.png');
  const { classNames, splits, problems } = await openDataset(root, null);
  expect(problems).toEqual([]);
  expect(classNames).toEqual(['a10', 'a9', 'b']);
  expect(namesOf(splits.train)).toEqual([
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
  const { splits, problems } = await openDataset(root, null);
  expect(problems).toEqual([]);
  expect([...splits.train.labels]).toEqual([0, 0, 0, 1]);
});

test('an image whose name is not UTF-8 is found and can be opened', async () => {
  put('train/a/1.png', 'train/b/1.png', 'val/a/1.png', 'val/b/1.png');
  const name = Buffer.concat([Buffer.from(join(root, 'train', 'a', 'caf')), Buffer.from([0xe9]), Buffer.from('.png')]);
  writeFileSync(name, 'here');
  const { splits, problems } = await openDataset(root, null);
  expect(problems).toEqual([]);
  expect(splits.train.describe(1)).toBe(join(root, 'train/a/caf\ufffd.png'));
  expect(String(await readImage(splits.train.locate(1)))).toBe('here');
});

test('a link to itself is no image and no class', async () => {
  put('train/a/1.png', 'train/b/1.png', 'val/a/1.png', 'val/b/1.png');
  symlinkSync(join(root, 'train', 'self'), join(root, 'train', 'self'));
  symlinkSync(join(root, 'train', 'a', 'self.png'), join(root, 'train', 'a', 'self.png'));
  const { classNames, splits, problems } = await openDataset(root, null);
  expect([classNames, splits.train.length, problems]).toEqual([['a', 'b'], 2, []]);
});

test('a file of words beside the images labels the classes', async () => {
  put('train/n01/1.png', 'train/n02/1.png', 'val/n01/1.png', 'val/n02/1.png');
  writeFileSync(join(root, 'words.txt'), 'n01\ttench, Tinca tinca\nn03\tunused\n');
  expect(await openDataset(root, null)).toMatchObject({
    classNames: ['n01', 'n02'],
    classLabels: ['tench, Tinca tinca', 'n02'],
  });
});

describe('validation images alone', () => {
  test('in val/, and later with training images: what was read is out of date then', async () => {
    put('val/b/1.png', 'val/a/2.png', 'val/a/1.png');
    const { classNames, splits, problems, isUpToDate } = await openDataset(root, null);
    expect([problems, classNames, splits.train.length]).toEqual([[], ['a', 'b'], 0]);
    expect(namesOf(splits.val)).toEqual(['val/a/1.png', 'val/a/2.png', 'val/b/1.png']);
    put('train/a/1.png', 'train/b/1.png');
    expect(isUpToDate()).toBe(false);
    expect((await openDataset(root, null)).splits.train.length).toBe(2);
  });

  test('in class folders at the top, folders without images aside', async () => {
    put('b/1.png', 'a/1.png', 'a/deep/2.png', 'notes/read.txt', 'list.txt');
    const { classNames, splits, problems } = await openDataset(root, null);
    expect([problems, classNames, splits.train.length]).toEqual([[], ['a', 'b'], 0]);
    expect(namesOf(splits.val)).toEqual(['a/1.png', 'a/deep/2.png', 'b/1.png']);
    expect([...splits.val.labels]).toEqual([0, 0, 1]);
  });

  test('a folder of datasets is none', async () => {
    put('birds/val/a/1.png', 'cats/val/a/1.png');
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/has no folder train\//),
      expect.stringMatching(/has no folder val\//),
    ]);
  });

  test('a class without images, and images without classes', async () => {
    put('val/a/1.png', 'val/b/1.png', 'val/c/notes.txt');
    expect(await problemsOf()).toEqual(['Class c has no JPEG or PNG image in val/. Add images, or remove the class.']);
    rmSync(join(root, 'val'), { recursive: true });
    put('1.png');
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/^\S+ holds images but no class folders\. Sort them into \S+\/<class>\/ or, for ILSVRC/),
    ]);
  });
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
    put('train/1.png', 'val/a/notes.txt');
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/^train\/ holds no JPEG or PNG images/),
      expect.stringMatching(/^val\/ holds no/),
    ]);
  });

  test('validation images without class folders', async () => {
    put('train/a/1.png', 'train/b/1.png', 'val/1.png');
    expect(await problemsOf()).toEqual([expect.stringMatching(/^val\/ holds images but no class folders\. Sort them/)]);
  });

  test('a class folder whose name is not UTF-8', async () => {
    put('train/a/1.png', 'train/b/1.png', 'val/a/1.png', 'val/b/1.png');
    const name = Buffer.concat([Buffer.from(join(root, 'train', 'caf')), Buffer.from([0xe9])]);
    mkdirSync(name);
    expect(await problemsOf()).toEqual([expect.stringMatching(/^Folder caf\ufffd in train\/ .* UTF-8\. Rename it/)]);
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
    const first = (await openDataset(root, null)).fingerprint;
    const before = root;
    root = mkdtempSync(join(tmpdir(), 'images-'));
    fill();
    expect((await openDataset(root, null)).fingerprint).toBe(first);
    rmSync(before, { recursive: true });
    writeFileSync(join(root, 'val/b/1.png'), 'another size');
    const second = (await openDataset(root, null)).fingerprint;
    put('val/b/2.png');
    const third = (await openDataset(root, null)).fingerprint;
    expect(new Set([first, second, third]).size).toBe(3);
  });
});

test('the demo data: 10 classes, 1,442 images to train and 355 to validate', async () => {
  const folder = resolve(import.meta.dirname, '../../trainer/datasets/digits');
  const { splits, classNames, classLabels, problems } = await openDataset(folder, null);
  expect([splits.train.length, splits.val.length, problems, classLabels]).toEqual([1442, 355, [], null]);
  expect(classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});
