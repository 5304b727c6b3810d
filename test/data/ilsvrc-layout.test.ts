import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImageSplit } from '../../trainer/data/dataset.ts';
import { readStructArray } from '../../trainer/data/layouts/mat-file.ts';
import { openDataset } from '../../trainer/data/open-dataset.ts';

/**
 * `synsets` as in the development kit's meta.mat, cut down to ids 1 to 3 (n02119789, n02100735, n01440764) and a synset without
 * images, 4; written by scipy.io.savemat(..., do_compression=True).
 */
const META = Buffer.from(
  'TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFRodSBOb3YgMjYgMTE6NTI6MDAgMjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAAggEAAHic7VNBTsJAFB0UETYEWLGcA7BosVpY0URNSmKMUYPLppaxnVimpjNEuIEH8BKewwtxBGfsCGXElFCJLvjJ6/S/5r3p77xWAQB2BYASX8sceyCpA9kXOQoShxx0SihilD8vgrrkXzj6FzeD69O2pred/pkwuLtM1nk9R/GQpgk/jOgSQcYjxwtwOIwR+SSWmi8PgpgTIOwHTEpY7GLi4JHrIwqqnOyAxTwlZZ5CCqIqkk9q1hN6K6UvrtBXUvqa7InW1vWu2elKXvjYGT5NxUf0j5jBh2jSgoNx+IQoHLleHDFM1/GrK34NDhcyNGHQvY/GDHLv97fF+23+nRK9lqEHiv639t1Yf/Vq5dzfypMPTTOPjlNzZPlUFR/RnxM/xDSA/CdkKF4vZ7tcbDsX5Ry50A1DM0+M1BxZ59kA38+TIeIFLXiLicePVlzX99vlY9v5qOXIBy/dNLQf5ljlU1J8RI8Iw2z63/KQ/Dd2hn5f0Tfn+llP3lhpv7/MyQdQ6Xd3',
  'base64',
);
const KIT = 'ILSVRC2012_devkit_t12/data';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ilsvrc-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, content: string | Buffer = ''): void {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), content);
}
const valName = (number: number) => `ILSVRC2012_val_${String(number).padStart(8, '0')}.JPEG`;
function putImages(base: string, valImages = 4): void {
  for (const synset of ['n01440764', 'n02100735', 'n02119789'])
    put(join(base, 'train', synset, `${synset}_1.JPEG`), synset);
  for (let i = 1; i <= valImages; i++) put(join(base, 'val', valName(i)));
}
const shown = (split: ImageSplit, classNames: string[]) =>
  Array.from({ length: split.length }, (_, place) => [
    relative(root, String(split.locate(place).path))
      .split('/')
      .at(-1),
    classNames[split.labels[place]!],
  ]);
const problemsOf = async () => (await openDataset(root, null)).problems;

const KAGGLE_CSV = [
  'ImageId,PredictionString',
  'ILSVRC2012_val_00000002,n02119789 85 1 499 272 ',
  'ILSVRC2012_val_00000001,n01440764 1 2 3 4 n01440764 5 6 7 8 ',
  'ILSVRC2012_val_00000004,n01440764 1 2 3 4',
  'ILSVRC2012_val_00000003,n02100735 1 2 3 4',
].join('\n');
const EXPECTED = [
  [valName(1), 'n01440764'],
  [valName(4), 'n01440764'],
  [valName(3), 'n02100735'],
  [valName(2), 'n02119789'],
];

test('Kaggle’s archive: labels from LOC_val_solution.csv, words from LOC_synset_mapping.txt', async () => {
  putImages('ILSVRC/Data/CLS-LOC');
  put('LOC_val_solution.csv', KAGGLE_CSV);
  put('LOC_synset_mapping.txt', 'n01440764 tench, Tinca tinca\nn02100735 English setter\nn02119789 kit fox\n');
  const { classNames, classLabels, splits, problems } = await openDataset(root, null);
  expect(problems).toEqual([]);
  expect(classNames).toEqual(['n01440764', 'n02100735', 'n02119789']);
  expect(classLabels).toEqual(['tench, Tinca tinca', 'English setter', 'kit fox']);
  expect(shown(splits.train, classNames)[2]).toEqual(['n02119789_1.JPEG', 'n02119789']);
  expect(shown(splits.val, classNames)).toEqual(EXPECTED);
});

test.each(['Data/CLS-LOC', ''])(
  'the official files in "%s": numbers from the ground truth, synsets from meta.mat',
  async (base) => {
    putImages(base);
    put(`${KIT}/ILSVRC2012_validation_ground_truth.txt`, '3\n1\n2\n3\n');
    put(`${KIT}/meta.mat`, META);
    const { classNames, splits, problems } = await openDataset(root, null);
    expect(problems).toEqual([]);
    expect(shown(splits.val, classNames)).toEqual(EXPECTED);
  },
);

test.each([
  ['in Data/CLS-LOC', 'Data/CLS-LOC/val'],
  ['in val/', 'val'],
  ['as its archive unpacks, with the kit beside the images', ''],
])('validation images alone, %s', async (_where, folder) => {
  for (let i = 1; i <= 4; i++) put(join(folder, valName(i)));
  put(`${KIT}/ILSVRC2012_validation_ground_truth.txt`, '3\n1\n2\n3\n');
  put(`${KIT}/meta.mat`, META);
  const { classNames, splits, problems } = await openDataset(root, null);
  expect([problems, splits.train.length]).toEqual([[], 0]);
  expect(shown(splits.val, classNames)).toEqual(EXPECTED);
});

test('other labels are another fingerprint', async () => {
  putImages('Data/CLS-LOC');
  put('LOC_val_solution.csv', KAGGLE_CSV);
  const { fingerprint } = await openDataset(root, null);
  put('LOC_val_solution.csv', KAGGLE_CSV.replace('n02100735 1', 'n02119789 1').replace('n02119789 85', 'n02100735 85'));
  expect((await openDataset(root, null)).fingerprint).not.toBe(fingerprint);
});

describe('what is wrong is said in sentences', () => {
  test('no labels', async () => {
    putImages('Data/CLS-LOC');
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/val\/ holds images but .* put LOC_val_solution\.csv, or/),
    ]);
  });

  test('meta.mat missing or damaged', async () => {
    putImages('');
    put(`${KIT}/ILSVRC2012_validation_ground_truth.txt`, '3\n1\n2\n3\n');
    expect(await problemsOf()).toEqual([expect.stringMatching(/meta\.mat is missing: it says which class a number/)]);
    put(`${KIT}/meta.mat`, META.subarray(0, 300));
    expect(await problemsOf()).toEqual([expect.stringMatching(/meta\.mat cannot be read: .* Copy it again/)]);
  });

  test('a number that means nothing', async () => {
    putImages('');
    put(`${KIT}/ILSVRC2012_validation_ground_truth.txt`, '3\n1\n9\n3\n');
    put(`${KIT}/meta.mat`, META);
    expect(await problemsOf()).toEqual([expect.stringMatching(/line 3 is no ILSVRC2012_ID that meta\.mat knows/)]);
  });

  test('images missing, and images that are not named', async () => {
    putImages('', 3);
    put('LOC_val_solution.csv', KAGGLE_CSV);
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/^val\/ holds 3 images, but LOC_val_solution\.csv names 4/),
    ]);
    put('val/ILSVRC2012_val_00000009.JPEG');
    expect(await problemsOf()).toEqual([
      expect.stringMatching(/does not say what image ILSVRC2012_val_00000009\.JPEG/),
    ]);
  });
});

test('every field of meta.mat that is a text or a number', () => {
  const rows = readStructArray(META);
  expect(rows).toHaveLength(4);
  expect(Object.fromEntries(rows[2]!)).toEqual({
    ILSVRC2012_ID: 3,
    WNID: 'n01440764',
    words: 'tench, Tinca tinca',
    gloss: 'a text about it é',
    num_children: 0,
    children: null,
    wordnet_height: 0,
    num_train_images: 1300,
  });
});

test('a damaged meta.mat is refused, whatever byte is wrong', () => {
  for (let at = 0; at < META.length; at += 7) {
    const damaged = Buffer.from(META);
    damaged[at] = damaged[at]! ^ 0xff;
    try {
      readStructArray(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  }
});
