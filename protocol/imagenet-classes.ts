/** Whether a dataset's classes are those that published weights know: the same 1000 in the same order. */
import { IMAGENET_SYNSETS } from './imagenet-synsets.ts';

const SYNSET = /^n\d{8}$/;
const NUMBER = /^\d+$/;
const NAMES_SHOWN = 3;

/** What is to be said of a dataset's classes. */
export interface ClassFinding {
  /** False: the names alone do not tell, so the measurement goes on with the message as a warning. */
  certain: boolean;
  message: string;
}

/**
 * Null when the classes are ImageNet's by their names, or bare numbers in order, as shards have them; and when there is nothing to
 * add to their count, which callers compare.
 */
export function findClassProblem(classNames: readonly string[]): ClassFinding | null {
  if (classNames.every((name) => SYNSET.test(name))) {
    const message = compareSynsets(classNames);
    return message === null ? null : { certain: true, message };
  }
  if (classNames.length !== IMAGENET_SYNSETS.length) return null;
  if (classNames.every((name) => NUMBER.test(name))) {
    const at = classNames.findIndex((name, index) => Number(name) !== index);
    if (at < 0) return null;
    return {
      certain: true,
      message: `Class ${at} of the dataset is named "${classNames[at]}": folders named by numbers are sorted as text. Fill the numbers up with zeros, 0000 to 0999, or name the folders by synset.`,
    };
  }
  return {
    certain: false,
    message: `The classes are not named by ImageNet's synsets, so nothing tells whether they are in ImageNet's order: class 0 is "${classNames[0]}" here and ${IMAGENET_SYNSETS[0]} for the weights. In another order the accuracy means nothing.`,
  };
}

/** Null when they are ImageNet's, in order. */
function compareSynsets(classNames: readonly string[]): string | null {
  const [expected, given] = [new Set(IMAGENET_SYNSETS), new Set(classNames)];
  const missing = IMAGENET_SYNSETS.filter((name) => !given.has(name));
  const unknown = classNames.filter((name) => !expected.has(name));
  if (missing.length > 0 || unknown.length > 0) {
    const parts = [
      ...(missing.length > 0 ? [`lacks ${nameSome(missing)}`] : []),
      ...(unknown.length > 0 ? [`has ${nameSome(unknown)}, which ImageNet-1k has not`] : []),
    ];
    return `The dataset's classes are not the ${IMAGENET_SYNSETS.length} of ImageNet-1k: it ${parts.join(' and ')}.`;
  }
  const at = classNames.findIndex((name, index) => name !== IMAGENET_SYNSETS[index]);
  if (at < 0) return null;
  return `The dataset has ImageNet's classes in another order: class ${at} is ${classNames[at]}, not ${IMAGENET_SYNSETS[at]}. Number them in the order of the sorted synsets.`;
}

function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown;
}
