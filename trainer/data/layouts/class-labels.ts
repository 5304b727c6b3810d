/** What people call the classes: files beside the images that map a class's name, a synset for example, to words. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Walk } from './walk.ts';

/** `n01440764 tench, Tinca tinca` or, in words.txt, with a tab between. */
const LABEL_FILES = ['LOC_synset_mapping.txt', 'synset_words.txt', 'words.txt', 'classes.txt'];

/**
 * Labels by class name from the first of the known files in one of `folders` (relative, '' for the dataset's own); empty when
 * there is none. A line without a second word names a class without a label.
 */
export async function readClassLabels(walk: Walk, folders: readonly string[]): Promise<Map<string, string>> {
  for (const folder of folders) {
    for (const name of LABEL_FILES) {
      const relative = join(folder, name);
      walk.watch(Buffer.from(relative));
      const text = await readFile(join(walk.root, relative), 'utf8').catch(() => null);
      if (text !== null) return parseClassLabels(text);
    }
  }
  return new Map();
}

export function parseClassLabels(text: string): Map<string, string> {
  const labels = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, label] = line.trim().match(/^(\S+)\s*(.*)$/) ?? [];
    if (name) labels.set(name, label || name);
  }
  return labels;
}

/** In the order of the classes; null when none of them has a label. A class without one keeps its name. */
export function labelsFor(classNames: readonly string[], labels: ReadonlyMap<string, string>): string[] | null {
  if (!classNames.some((name) => labels.has(name))) return null;
  return classNames.map((name) => labels.get(name) ?? name);
}
