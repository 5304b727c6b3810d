/**
 * Image folders: train/<class>/… and val/<class>/… as torchvision's ImageFolder reads them, classes in sorted order; and
 * ILSVRC's own layout, where both lie in Data/CLS-LOC and validation images in one folder with their labels in a file. Of either,
 * validation alone will do for evaluations.
 */
import { basename, join } from 'node:path';
import { SPLITS, type SplitIndex, type SplitName } from '../dataset.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { PathTableBuilder } from '../path-table.ts';
import { labelsFor, readClassLabels } from './class-labels.ts';
import { findSplits } from './find-splits.ts';
import { checkClasses, type Listing, nameSome } from './layout.ts';
import { readValLabels, type ValLabels } from './val-labels.ts';
import { isImageName, under, type Walk } from './walk.ts';

/** Images by class name; relative to the dataset's folder. */
type Classes = Map<string, Buffer[]>;

export async function readFolder(walk: Walk): Promise<Listing> {
  const { root } = walk;
  const { base, train, val } = await findSplits(walk);
  // Files about the images lie beside them or, in Kaggle's archive, at the top.
  const besides = [...new Set(['', base])];
  const problems: string[] = [];
  const found: Record<SplitName, Classes> = {
    train: train === null ? new Map() : await readClasses(walk, train, problems, null),
    val: await readClasses(walk, val, problems, () => readValLabels(walk, besides)),
  };
  const classNames = [...new Set(SPLITS.flatMap((split) => [...found[split].keys()]))].sort();
  const splits = {
    train: toIndex(classNames, found.train),
    val: toIndex(classNames, found.val),
  };
  if (problems.length === 0)
    problems.push(
      ...checkClasses(
        classNames,
        splits,
        (split, name) => found[split].has(name),
        (split) => (split === 'val' ? describe(root, val) : `${train}/`),
        train === null,
      ),
    );
  return {
    classNames,
    classLabels: labelsFor(classNames, await readClassLabels(walk, besides)),
    splits,
    fingerprint: await fingerprintOf(root, splits, base !== '' || val === ''),
    problems,
  };
}

/** A split's folder for people: relative, unless it is the dataset's own. */
const describe = (root: string, folder: string) => (folder === '' ? root : `${folder}/`);

export async function readClasses(
  walk: Walk,
  folder: string,
  problems: string[],
  labelsOfFlat: (() => Promise<ValLabels | null>) | null,
): Promise<Classes> {
  const classes: Classes = new Map();
  const parent = Buffer.from(folder);
  const loose: Buffer[] = [];
  const unnameable: string[] = [];
  try {
    for (const entry of await walk.list(parent)) {
      const path = under(parent, entry.name);
      const kind = await walk.kindOf(parent, entry);
      if (kind === 'file' && isImageName(entry.name)) loose.push(path);
      if (kind !== 'folder') continue;
      const name = entry.name.toString();
      if (!Buffer.from(name).equals(entry.name)) {
        unnameable.push(name);
        continue;
      }
      const images = await walk.imagesBelow(path).catch((error: Error) => {
        problems.push(`${join(walk.root, folder, name)} cannot be read (${error.message}). Check its permissions.`);
        return [];
      });
      // A folder that is itself a split may hold others than classes: a development kit, for example.
      if (images.length > 0 || folder !== '') classes.set(name, images);
    }
  } catch (error) {
    problems.push(explainFolder(walk.root, folder, error as NodeJS.ErrnoException));
  }
  if (unnameable.length > 0)
    problems.push(
      `${nameSome('Folder', unnameable)} in ${describe(walk.root, folder)} ${unnameable.length === 1 ? 'has a name' : 'have names'} that cannot be read as UTF-8. Rename ${unnameable.length === 1 ? 'it' : 'them'}.`,
    );
  if (classes.size === 0 && loose.length > 0 && labelsOfFlat !== null)
    return sortFlat(walk.root, folder, loose, problems, labelsOfFlat);
  return classes;
}

/** Images of one folder by the classes that a file gives them. */
async function sortFlat(
  root: string,
  folder: string,
  images: Buffer[],
  problems: string[],
  readLabels: () => Promise<ValLabels | null>,
): Promise<Classes> {
  const classes: Classes = new Map();
  const where = describe(root, folder);
  let labels: ValLabels | null;
  try {
    labels = await readLabels();
  } catch (error) {
    problems.push((error as Error).message);
    return classes;
  }
  if (labels === null) {
    problems.push(
      `${where} holds images but no class folders. Sort them into ${join(where, '<class>')}/ or, for ILSVRC, put LOC_val_solution.csv, or ILSVRC2012_validation_ground_truth.txt with meta.mat, ${folder === '' ? 'into it, or give the folder that holds them and it' : 'beside it'}.`,
    );
    return classes;
  }
  const unknown: string[] = [];
  for (const path of images) {
    const name = basename(path.toString());
    const synset = labels.synsetOf(name.replace(/\.[^.]*$/, ''));
    if (synset === null) {
      unknown.push(name);
      continue;
    }
    const members = classes.get(synset);
    if (members) members.push(path);
    else classes.set(synset, [path]);
  }
  if (unknown.length > 0)
    problems.push(
      `${labels.file} does not say what ${nameSome('image', unknown)} in ${where} show. Remove them, or use the file that belongs to these images.`,
    );
  else if (images.length < labels.count)
    problems.push(
      `${where} holds ${images.length} images, but ${labels.file} names ${labels.count}. Unpack the missing ones.`,
    );
  return classes;
}

function explainFolder(root: string, folder: string, error: NodeJS.ErrnoException): string {
  const path = join(root, folder);
  return ['ENOENT', 'ENOTDIR'].includes(error.code ?? '')
    ? `${root} has no folder ${folder}/. Put one folder per class, with its images, into ${path}.`
    : `${path} cannot be read (${error.message}). Check its permissions.`;
}

export function toIndex(classNames: readonly string[], classes: Classes): SplitIndex {
  const files = new PathTableBuilder();
  const labels = new Int32Array([...classes.values()].reduce((sum, paths) => sum + paths.length, 0));
  let at = 0;
  for (const [index, name] of classNames.entries()) {
    for (const path of classes.get(name) ?? []) {
      files.add(path);
      labels[at++] = index;
    }
  }
  return { files: files.build(), labels, entries: null };
}
