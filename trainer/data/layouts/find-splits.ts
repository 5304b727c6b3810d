/** Where the splits of a folder of images lie: both, validation alone, or the folder is itself a validation split. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isImageName, under, type Walk } from './walk.ts';

/** Where train/ and val/ may lie: in the folder itself, or as ILSVRC's and Kaggle's archives unpack. */
export const BASES = ['', 'Data/CLS-LOC', 'ILSVRC/Data/CLS-LOC'];

/** Folders relative to the dataset's own. */
export interface SplitFolders {
  base: string;
  /** Null: the dataset is for evaluation alone. */
  train: string | null;
  /** '' where the dataset's own folder holds the validation images, as in PyTorch's and timm's `validation/`. */
  val: string;
}

export async function findSplits(walk: Walk): Promise<SplitFolders> {
  const find = (name: string) => BASES.find((base) => existsSync(join(walk.root, base, name)));
  const trained = find('train');
  if (trained !== undefined) return { base: trained, train: join(trained, 'train'), val: join(trained, 'val') };
  const validated = find('val');
  const isBare = validated === undefined && (await isSplit(walk));
  if (validated === undefined && !isBare) return { base: '', train: 'train', val: 'val' };
  // What is kept of the folder is out of date as soon as there is something to train on.
  for (const base of BASES) walk.watch(Buffer.from(join(base, 'train')));
  return isBare ? { base: '', train: null, val: '' } : { base: validated!, train: null, val: join(validated!, 'val') };
}

/** Whether the folder holds images, or one of its folders does: a folder of datasets has none so near. */
async function isSplit(walk: Walk): Promise<boolean> {
  const top = Buffer.alloc(0);
  const hasImage = async (folder: Buffer) => {
    for (const entry of await walk.list(folder))
      if (isImageName(entry.name) && (await walk.kindOf(folder, entry)) === 'file') return true;
    return false;
  };
  try {
    if (await hasImage(top)) return true;
    for (const entry of await walk.list(top))
      if ((await walk.kindOf(top, entry)) === 'folder' && (await hasImage(under(top, entry.name)))) return true;
  } catch {
    // A folder that cannot be read: what is looked for next is missing, and that is said.
  }
  return false;
}
