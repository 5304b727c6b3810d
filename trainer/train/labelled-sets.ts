/** Sets of labels that runs computed for this one, and whether they are those that it needs. */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { canonicalKey, type LabelKey } from '../labels/key.ts';
import { parseLabelSet } from '../labels/label-set-file.ts';
import type { TrainerJob } from './job.ts';
import { RunFailure } from './run-failure.ts';

/** What a run has labelled. */
export interface LabelledSet {
  runId: string;
  key: LabelKey;
  viewsPerImage: number;
}

/** @throws {RunFailure} weights_missing where a file does not describe labels */
export function readLabelledSets({ labelSets }: Pick<TrainerJob, 'labelSets'>): LabelledSet[] {
  return labelSets.map(({ runId, path }) => {
    const set = parseLabelSet(readFileSync(path, 'utf8'));
    if (set === null)
      throw new RunFailure(
        'weights_missing',
        `What ${runId} has labelled is described in a way that is not known here.`,
      );
    return { runId, key: set.key, viewsPerImage: set.viewsPerImage };
  });
}

/**
 * The key of the set that has these labels. It may have been computed in another precision than this host would: a label is as good
 * in each of them, and a strong host's bfloat16 is what a small one is to learn from.
 * @param key what this run's own teachers, dataset and settings make
 * @throws {RunFailure} dataset_invalid where another dataset was labelled, weights_missing where it was labelled otherwise
 */
export function findLabelled(key: LabelKey, sets: readonly LabelledSet[]): LabelKey {
  const wanted = comparable(key);
  const found = sets.find((set) => isDeepStrictEqual(comparable(set.key), wanted));
  if (found !== undefined) return found.key;
  const other = sets.find(
    ({ key: { dataset, classCount } }) => !isDeepStrictEqual([dataset, classCount], [key.dataset, key.classCount]),
  );
  if (other !== undefined)
    throw new RunFailure(
      'dataset_invalid',
      `The dataset here has ${describeDataset(key)}, but ${other.runId} has labelled ${describeDataset(other.key)}: they are not the same images. Give this host the dataset of the other one, or train where the labels were computed.`,
    );
  const names = sets.map(
    ({ runId, key: given }) => `${runId} (other ${differing(comparable(given), wanted).join(', ')})`,
  );
  throw new RunFailure(
    'weights_missing',
    `No run has labelled with ${key.teachers.map(({ network }) => network).join(' + ')} what this one needs: ${names.join('; ')}. Create the study anew.`,
  );
}

/** Everything but the precision, in one spelling. */
function comparable(key: LabelKey): Record<string, unknown> {
  return JSON.parse(canonicalKey({ ...key, precision: 'float32' }));
}

function differing(given: Record<string, unknown>, wanted: Record<string, unknown>): string[] {
  return Object.keys(wanted).filter((field) => !isDeepStrictEqual(given[field], wanted[field]));
}

const describeDataset = ({ dataset: { fingerprint, imageCount }, classCount }: LabelKey): string =>
  `${imageCount.toLocaleString('en')} training images in ${classCount} classes (${fingerprint.slice(0, 12)})`;
