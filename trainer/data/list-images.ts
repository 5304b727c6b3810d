/** Lists an image folder, train/<class>/… and val/<class>/…, as torchvision's ImageFolder does: classes in sorted order. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const SPLITS = ['train', 'val'] as const;
export type SplitName = (typeof SPLITS)[number];

export interface ImageSplit {
  /** Absolute paths, class by class, sorted within a class: an image's place here is its identity in a run. */
  paths: string[];
  /** Class index of each path. */
  labels: Int32Array;
}

export interface ImageFolder {
  /** Folder names in the order of their indices: every class of either split. */
  classNames: string[];
  splits: Record<SplitName, ImageSplit>;
  /** Empty when the folder can be trained on; otherwise sentences saying what is wrong and how to mend it. */
  problems: string[];
}

const IMAGE_NAME = /\.(jpe?g|png)$/i;
const NAMES_SHOWN = 5;

/** Never throws for what is wrong with the folder itself; that is said in `problems`. */
export async function listImageFolder(path: string): Promise<ImageFolder> {
  const problems: string[] = [];
  const found = new Map<SplitName, Map<string, string[]>>();
  if (await isUsableFolder(path, problems)) {
    for (const split of SPLITS) found.set(split, await listSplit(path, split, problems));
  }
  const classNames = [...new Set([...found.values()].flatMap((classes) => [...classes.keys()]))].sort();
  if (problems.length === 0) checkClasses(classNames, found, problems);
  const toSplit = (name: SplitName): ImageSplit => {
    const perClass = classNames.map((className) => found.get(name)?.get(className) ?? []);
    const labels = Int32Array.from(perClass.flatMap((paths, index) => paths.map(() => index)));
    return { paths: perClass.flat(), labels };
  };
  return { classNames, splits: { train: toSplit('train'), val: toSplit('val') }, problems };
}

async function isUsableFolder(path: string, problems: string[]): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
    problems.push(`${path} is not a folder. Give the folder that holds train/ and val/.`);
  } catch (error) {
    problems.push(
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? `${path} does not exist. Give the folder that holds train/ and val/.`
        : `${path} cannot be opened (${(error as Error).message}). Check its permissions.`,
    );
  }
  return false;
}

/** Image paths by class name. */
async function listSplit(root: string, split: SplitName, problems: string[]): Promise<Map<string, string[]>> {
  const folder = join(root, split);
  const classes = new Map<string, string[]>();
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const missing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    problems.push(
      missing
        ? `${root} has no folder ${split}/. Put one folder per class, with its images, into ${folder}.`
        : `${folder} cannot be read (${(error as Error).message}). Check its permissions.`,
    );
    return classes;
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if ((await kindOf(entry, path)) !== 'folder') continue;
    const paths: string[] = [];
    try {
      await collectImages(path, paths, new Set([await realpath(path)]));
    } catch (error) {
      problems.push(`${path} cannot be read (${(error as Error).message}). Check its permissions.`);
    }
    classes.set(entry.name, paths.sort());
  }
  return classes;
}

/** Adds every image below `folder`. `above` holds the real paths on the way down, so that links in a circle end. */
async function collectImages(folder: string, into: string[], above: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isFile()) {
      if (IMAGE_NAME.test(entry.name)) into.push(path);
      continue;
    }
    const kind = await kindOf(entry, path);
    if (kind === 'file' && IMAGE_NAME.test(entry.name)) into.push(path);
    if (kind !== 'folder') continue;
    const real = await realpath(path);
    if (!above.has(real)) await collectImages(path, into, new Set([...above, real]));
  }
}

/** What an entry is, links followed; null for a link to nowhere and for anything else. */
async function kindOf(entry: Dirent, path: string): Promise<'file' | 'folder' | null> {
  const target = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry;
  if (target?.isFile()) return 'file';
  return target?.isDirectory() ? 'folder' : null;
}

function checkClasses(
  classNames: string[],
  found: ReadonlyMap<SplitName, ReadonlyMap<string, readonly string[]>>,
  problems: string[],
): void {
  const imagesOf = (split: SplitName, name: string) => found.get(split)?.get(name);
  for (const split of SPLITS) {
    if (classNames.every((name) => (imagesOf(split, name)?.length ?? 0) === 0)) {
      problems.push(`${split}/ holds no JPEG or PNG images in class folders. Put them into ${split}/<class>/.`);
      continue;
    }
    const other = split === 'train' ? 'val' : 'train';
    const missing = classNames.filter((name) => imagesOf(split, name) === undefined);
    if (missing.length > 0)
      problems.push(
        `${nameSome('Class', missing)} ${missing.length === 1 ? 'is' : 'are'} in ${other}/ but not in ${split}/. Add the folder, or remove it from ${other}/.`,
      );
    const empty = classNames.filter((name) => imagesOf(split, name)?.length === 0);
    if (empty.length > 0)
      problems.push(
        `${nameSome('Class', empty)} ${empty.length === 1 ? 'has' : 'have'} no JPEG or PNG image in ${split}/. Add images, or remove the folder from both splits.`,
      );
  }
  if (problems.length === 0 && classNames.length < 2)
    problems.push(`There is only one class, ${classNames[0]}. A network needs at least two to tell apart.`);
}

/** "Class a", "Classes a, b", "Classes a, b, c, d, e and 7 more" */
function nameSome(word: string, names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return `${word}${names.length === 1 ? '' : 'es'} ${shown}${more}`;
}
