/** The form as one of the authors' published trainings fills it. */
import {
  PUBLISHED_BATCH,
  PUBLISHED_OPTIMIZER,
  type PublishedStudyName,
  publishedStudy,
} from '@mealtable/protocol/published-studies';
import { PUBLISHED_CLASS_COUNT } from '@mealtable/protocol/published-weights';
import { isValidationOnly } from '@mealtable/protocol/validation-only';
import type { DatasetOption } from '@mealtable/protocol/views';
import { newDraft, type StudyDraft } from './draft.ts';
import { optimizerDraft } from './optimizer-draft.ts';

const fits = (dataset: DatasetOption) =>
  dataset.classNames.length === PUBLISHED_CLASS_COUNT && !isValidationOnly(dataset);

/**
 * Everything that is computed becomes as published. What the publication says nothing of stays: name, notes, precision, and where
 * soft labels come from; where that cannot go with what was published, the form says so. The dataset becomes one with ImageNet's
 * number of classes, if there is one.
 */
export function fillPublished(
  draft: StudyDraft,
  name: PublishedStudyName,
  datasets: readonly DatasetOption[],
): StudyDraft {
  const { title, network, start, teachers, inputSize, epochs, mixing } = publishedStudy(name);
  const present = datasets.find((dataset) => dataset.name === draft.dataset);
  const dataset = present && fits(present) ? present : (datasets.find(fits) ?? present);
  const plain = newDraft(dataset?.name ?? draft.dataset);
  return {
    ...plain,
    name: draft.name.trim() === '' ? `MEAL V2: ${title}` : draft.name,
    notes: draft.notes,
    precision: draft.precision,
    softLabels: draft.softLabels,
    network,
    start: { kind: 'pretrained', weights: start, head: 'keep' },
    epochs: String(epochs),
    batchSize: String(PUBLISHED_BATCH.batchSize),
    accumulation: String(PUBLISHED_BATCH.accumulation),
    optimizer: optimizerDraft(PUBLISHED_OPTIMIZER),
    teachers: [teachers.map((weights) => ({ kind: 'pretrained' as const, weights }))],
    discriminator: [true],
    inputSize: [inputSize],
    choices: { ...plain.choices, mixing: [mixing] },
    // What the authors trained is one run; further seeds and the student alone are the study's own to add.
    baseline: false,
    seeds: [0],
    reproduces: name,
  };
}
