/** What reading a dataset's folder gives, whatever its layout; and the words for what is wrong with it. */
import { SPLITS, type SplitIndex, type SplitName } from '../dataset.ts';
import type { PathTable } from '../path-table.ts';

/** A folder or file that the index was made from: when its time or size is another, the index is out of date. */
export interface Watched {
  /** Relative to the dataset's folder. */
  names: PathTable;
  /** Time of the last change of content, name or permissions, in milliseconds; -1 where there was nothing. */
  changed: Float64Array;
  /** Bytes of a file; 0 for a folder. */
  sizes: Float64Array;
}

export interface Listing {
  classNames: string[];
  classLabels: string[] | null;
  splits: Record<SplitName, SplitIndex>;
  fingerprint: string;
  problems: string[];
}

const NAMES_SHOWN = 5;

/** "Class a", "Classes a, b", "Classes a, b, c, d, e and 7 more" */
export function nameSome(word: string, names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return `${word}${names.length === 1 ? '' : word.endsWith('s') ? 'es' : 's'} ${shown}${more}`;
}

/**
 * What is wrong with the classes of a dataset whose splits could be read.
 * @param has whether the split knows the class, be it without images @param where how the user finds a class in a split
 * @param valOnly the dataset is for evaluation alone: nothing is asked of its train split
 */
export function checkClasses(
  classNames: readonly string[],
  splits: Record<SplitName, SplitIndex>,
  has: (split: SplitName, className: string) => boolean,
  where: (split: SplitName) => string,
  valOnly: boolean,
): string[] {
  const problems: string[] = [];
  for (const split of valOnly ? (['val'] as const) : SPLITS) {
    const counts = countByClass(splits[split].labels, classNames.length);
    if (splits[split].labels.length === 0) {
      problems.push(`${split}/ holds no JPEG or PNG images in class folders. Put them into ${split}/<class>/.`);
      continue;
    }
    const other = split === 'train' ? 'val' : 'train';
    const isEmpty = (name: string, i: number) => counts[i] === 0 && (valOnly || has(split, name));
    const missing = valOnly ? [] : classNames.filter((name, i) => counts[i] === 0 && !has(split, name));
    if (missing.length > 0)
      problems.push(
        `${nameSome('Class', missing)} ${missing.length === 1 ? 'is' : 'are'} in ${where(other)} but not in ${where(split)}. Add the folder, or remove it from ${where(other)}.`,
      );
    const empty = classNames.filter(isEmpty);
    if (empty.length > 0)
      problems.push(
        `${nameSome('Class', empty)} ${empty.length === 1 ? 'has' : 'have'} no JPEG or PNG image in ${where(split)}. Add images, or remove the ${valOnly ? 'class' : 'folder from both splits'}.`,
      );
  }
  if (problems.length === 0 && classNames.length < 2)
    problems.push(`There is only one class, ${classNames[0]}. A network needs at least two to tell apart.`);
  return problems;
}

function countByClass(labels: Int32Array, classCount: number): Int32Array {
  const counts = new Int32Array(classCount);
  for (const label of labels) counts[label]!++;
  return counts;
}
