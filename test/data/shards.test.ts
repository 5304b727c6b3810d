import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImageSplit } from '../../trainer/data/dataset.ts';
import { openDataset } from '../../trainer/data/open-dataset.ts';
import { readImage } from '../../trainer/data/read-image.ts';
import { makeTar, paxName, type TarFile } from '../support/tar.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shards-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (name: string, files: TarFile[]) => writeFileSync(join(root, name), makeTar(files));
const sample = (key: string, label: number): TarFile[] => [
  { name: `${key}.jpg`, content: `image ${key}` },
  { name: `${key}.cls`, content: `${label}\n` },
];
const readAll = async (split: ImageSplit) =>
  Promise.all(Array.from({ length: split.length }, async (_, place) => String(await readImage(split.locate(place)))));
const problemsOf = async () => (await openDataset(root, null)).problems;

test('images of all shards in order, each with its label, read where they lie', async () => {
  put('train-000001.tar', [...sample('c', 1), ...sample('d', 0)]);
  put('train-000000.tar', [...sample('a', 0), ...sample('b', 1)]);
  put('val-000000.tar', [...sample('v', 1), ...sample('w', 0)]);
  const { splits, classNames, problems } = await openDataset(root, null);
  expect([problems, classNames]).toEqual([[], ['0', '1']]);
  expect(await readAll(splits.train)).toEqual(['image a', 'image b', 'image c', 'image d']);
  expect([...splits.train.labels]).toEqual([0, 1, 1, 0]);
  expect(await readAll(splits.val)).toEqual(['image v', 'image w']);
  expect(splits.train.describe(2)).toMatch(/train-000001\.tar \(7 bytes from 512\)$/);
});

test('labels in JSON, long names, folders, other files and capital endings', async () => {
  const long = `${'deep/'.repeat(40)}picture`;
  put('train-0.tar', [
    { name: 'folder/', content: '', type: '5' },
    paxName(`${long}.JPEG`),
    { name: 'cut', content: 'long' },
    paxName(`${long}.json`),
    { name: 'cut', content: '{"label": 1, "caption": "a cat"}' },
    { name: 'b.txt', content: 'text' },
    { name: 'b.png', content: 'short' },
    { name: 'b.cls', content: '0' },
    { name: 'note.txt', content: 'alone' },
  ]);
  put('val-0.tar', [...sample('v', 1), ...sample('w', 0)]);
  const { splits, problems } = await openDataset(root, null);
  expect(problems).toEqual([]);
  expect(await readAll(splits.train)).toEqual(['long', 'short']);
  expect([...splits.train.labels]).toEqual([1, 0]);
});

test('a file with a line for each class names and labels them', async () => {
  put('train-0.tar', [...sample('a', 0), ...sample('b', 1)]);
  put('val-0.tar', [...sample('a', 0), ...sample('b', 1)]);
  writeFileSync(join(root, 'LOC_synset_mapping.txt'), 'n01440764 tench, Tinca tinca\nn01443537 goldfish\n');
  expect(await openDataset(root, null)).toMatchObject({
    classNames: ['n01440764', 'n01443537'],
    classLabels: ['tench, Tinca tinca', 'goldfish'],
  });
});

test('validation shards alone, to evaluate on', async () => {
  put('val-000000.tar', [...sample('v', 1), ...sample('w', 0)]);
  const { splits, classNames, problems } = await openDataset(root, null);
  expect([problems, classNames, splits.train.length]).toEqual([[], ['0', '1'], 0]);
  expect(await readAll(splits.val)).toEqual(['image v', 'image w']);
});

describe('what is wrong is said in sentences', () => {
  beforeEach(() => put('val-0.tar', [...sample('v', 1), ...sample('w', 0)]));

  test('no shards to validate on', async () => {
    rmSync(join(root, 'val-0.tar'));
    put('train-0.tar', [...sample('a', 0), ...sample('b', 1)]);
    expect(await problemsOf()).toEqual([expect.stringMatching(/holds no val-\*\.tar\. Put the shards of both/)]);
  });

  test('a class that the labels name and validation alone does not show', async () => {
    writeFileSync(join(root, 'classes.txt'), 'cat\ndog\nfox\n');
    expect(await problemsOf()).toEqual([expect.stringMatching(/^Class fox has no JPEG or PNG image in val-\*\.tar\./)]);
  });

  test('a class in one split only', async () => {
    put('train-0.tar', [...sample('a', 0), ...sample('b', 1), ...sample('c', 2)]);
    expect(await problemsOf()).toEqual([expect.stringMatching(/^Class 2 is in train-\*\.tar but not in val-\*\.tar/)]);
  });

  test.each([
    ['without a label', [{ name: 'a.jpg', content: 'x' }]],
    ['whose label is a word', [...sample('b', 0).slice(0, 1), { name: 'b.cls', content: 'cat' }]],
    [
      'whose label is no class',
      [
        { name: 'b.jpg', content: 'x' },
        { name: 'b.json', content: '{"label": -1}' },
      ],
    ],
  ] as [string, TarFile[]][])('an image %s', async (_what, files) => {
    put('train-0.tar', files);
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/^train-0\.tar cannot be used: its image . has no class/),
    ]);
  });

  test('a shard that is cut short, or no tar file', async () => {
    put('train-0.tar', [...sample('a', 0), { name: 'b.jpg', content: 'x'.repeat(3000) }]);
    truncateSync(join(root, 'train-0.tar'), 3000);
    expect(await problemsOf()).toEqual([expect.stringMatching(/begins at byte 2048 goes beyond the archive's end/)]);
    writeFileSync(join(root, 'train-0.tar'), 'x'.repeat(2000));
    expect(await problemsOf()).toEqual([expect.stringMatching(/there is no tar header at byte 0\. Write it again/)]);
  });
});
