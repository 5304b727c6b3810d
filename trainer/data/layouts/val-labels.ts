/** Labels of ILSVRC's validation images, which lie in one folder: from Kaggle's file or from the development kit's. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readStructArray } from './mat-file.ts';
import type { Walk } from './walk.ts';

const KAGGLE = 'LOC_val_solution.csv';
const OFFICIAL = 'ILSVRC2012_validation_ground_truth.txt';
const KIT_FOLDERS = ['', 'ILSVRC2012_devkit_t12/data', 'devkit/data', 'data'];

export interface ValLabels {
  /** The synset of an image, by its file name without ending; null when the file does not name it. */
  synsetOf(stem: string): string | null;
  /** How many images the file names. */
  count: number;
  /** For messages. */
  file: string;
}

/**
 * Looks in `folders` (relative to the dataset's). Null when there is no such file. Throws an Error whose message names the file
 * that cannot be used and why.
 */
export async function readValLabels(walk: Walk, folders: readonly string[]): Promise<ValLabels | null> {
  for (const folder of folders) {
    const file = join(folder, KAGGLE);
    const text = await readText(walk, file);
    if (text !== null) return parseKaggle(text, file);
  }
  for (const folder of folders) {
    for (const kit of KIT_FOLDERS) {
      const file = join(folder, kit, OFFICIAL);
      const text = await readText(walk, file);
      if (text !== null) return parseOfficial(text, await readSynsets(walk, join(dirname(file), 'meta.mat')), file);
    }
  }
  return null;
}

async function readText(walk: Walk, file: string): Promise<string | null> {
  walk.watch(Buffer.from(file));
  return readFile(join(walk.root, file), 'utf8').catch(() => null);
}

/** `ILSVRC2012_val_00048981,n03995372 85 1 499 272 …` after a line of headings. */
function parseKaggle(text: string, file: string): ValLabels {
  const synsets = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, stem, synset] = line.match(/^(ILSVRC\w+),(n\d+)/) ?? [];
    if (stem && synset) synsets.set(stem, synset);
  }
  if (synsets.size === 0) throw new Error(`${file} holds no lines such as "ILSVRC2012_val_00000001,n01751748 …".`);
  return { file, count: synsets.size, synsetOf: (stem) => synsets.get(stem) ?? null };
}

/** Line n holds the ILSVRC2012_ID, which is no class index, of image n. */
function parseOfficial(text: string, synsets: ReadonlyMap<number, string>, file: string): ValLabels {
  const ids = text.trim().split(/\s+/).map(Number);
  const unknown = ids.findIndex((id) => !synsets.has(id));
  if (unknown >= 0) throw new Error(`${file}: line ${unknown + 1} is no ILSVRC2012_ID that meta.mat knows.`);
  const synsetOf = (stem: string) => {
    const number = Number(stem.match(/_(\d{8})$/)?.[1] ?? 0);
    return synsets.get(ids[number - 1] ?? -1) ?? null;
  };
  return { file, count: ids.length, synsetOf };
}

async function readSynsets(walk: Walk, file: string): Promise<Map<number, string>> {
  walk.watch(Buffer.from(file));
  const synsets = new Map<number, string>();
  try {
    for (const row of readStructArray(await readFile(join(walk.root, file)))) {
      const [id, synset] = [row.get('ILSVRC2012_ID'), row.get('WNID')];
      if (typeof id === 'number' && typeof synset === 'string') synsets.set(id, synset);
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(
      missing
        ? `${file} is missing: it says which class a number in ${OFFICIAL} means. Copy it from the development kit, or put ${KAGGLE} into the folder.`
        : `${file} cannot be read: ${(error as Error).message}. Copy it again from the development kit.`,
    );
  }
  return synsets;
}
