/** Test images that lie beside an image folder's splits: test/<class>/… They decide nothing in training, so they are no part of the dataset's fingerprint. */
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageSplit } from '../dataset.ts';
import { BASES } from './find-splits.ts';
import { readClasses, toIndex } from './folder.ts';
import { nameSome } from './layout.ts';
import { Walk } from './walk.ts';

/** The test images, or none, and then perhaps a sentence why those that are there are of no use. */
export interface TestSplit {
  split: ImageSplit | null;
  problem: string | null;
}

/** @param classNames the dataset's; a class without test images is fine, one more is not */
export async function openTestSplit(path: string, classNames: readonly string[]): Promise<TestSplit> {
  const root = await realpath(path);
  const base = BASES.find((folder) => existsSync(join(root, folder, 'test')));
  if (base === undefined) return { split: null, problem: null };
  const folder = join(base, 'test');
  const problems: string[] = [];
  const found = await readClasses(new Walk(root), folder, problems, null);
  const classes = new Map([...found].filter(([, images]) => images.length > 0));
  if (problems.length > 0) return { split: null, problem: problems.join(' ') };
  // ILSVRC's own test images have no labels.
  if (classes.size === 0) return { split: null, problem: null };
  const unknown = [...classes.keys()].filter((name) => !classNames.includes(name));
  if (unknown.length > 0) {
    const what = nameSome('Folder', unknown);
    return {
      split: null,
      problem: `${what} in ${join(path, folder)} ${unknown.length === 1 ? 'is' : 'are'} of no class of the dataset.`,
    };
  }
  return { split: new ImageSplit(root, toIndex(classNames, classes)), problem: null };
}
