/** The caches that a run's soft labels come from, and what makes two runs' labels the same. */
import { methodOf } from '@mealtable/protocol/distillation-method';
import {
  type DistillationConfig,
  type LabellingConfig,
  type TeacherSource,
  teacherId,
  teacherSize,
  teacherWeights,
} from '@mealtable/protocol/run-config';
import { type CachedLabels, needsLogits } from '@mealtable/protocol/soft-labels';
import { REFERENCE_VIEWS } from '../data/augment.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Precision } from '../engine/capture.ts';
import { IMAGENET_NORMALISATION } from '../engine/pixels.ts';
import { LABEL_FORMAT_VERSION, type LabelKey } from '../labels/key.ts';
import { openLabelCache } from '../labels/label-cache.ts';
import { noteTeacher, type TeacherNote } from '../labels/teacher-notes.ts';
import { graphCache } from './graph-cache.ts';
import type { TrainerJob, TrainingJob } from './job.ts';
import { findLabelled, type LabelledSet, readLabelledSets } from './labelled-sets.ts';
import { Labeller } from './labeller.ts';
import { hashTeacher, loadTeachers, teacherFile } from './load-weights.ts';
import { fits, requireFit } from './memory.ts';
import type { PublishedFiles } from './published-weights.ts';
import { type LabelStore, type RenderViews, StoredLabels } from './stored-labels.ts';

type CachedConfig = DistillationConfig & { softLabels: CachedLabels };

/** A store and the key of its labels. */
export type KeyedLabelStore = LabelStore & { key: LabelKey };

export interface StoredLabelsContext {
  dataset: Dataset;
  published: PublishedFiles;
  /** What this host computes in. */
  precision: Precision;
  /** Of all keys' labels. */
  folder: string;
  /** Bytes of memory that teachers may take, null for not known. Asked before they label for the first time. */
  freeBytes(): number | null;
  /** Images that teachers may see at once, where more than a batch's. */
  atOnce?: number;
  /** Where the teachers' images are of a size of their own; the batches' unless given. */
  renderViews?: RenderViews | null;
  log(level: 'info' | 'warning', line: string): void;
}

/** Whether the run's labels come out of a cache. */
export function isCached(config: TrainingJob['grant']['config']): config is CachedConfig {
  return config.task === 'distillation' && config.softLabels?.mode === 'cached';
}

/** Whether the caches hold the teachers' logits. */
const keepsLogits = (config: CachedConfig | LabellingConfig): boolean =>
  config.softLabels.logits ?? (config.task === 'distillation' && needsLogits(config));

/**
 * Reads every teacher's file to know whose labels these are, but builds no network. The caller closes what it gets.
 * @throws {RunFailure} weights_missing, and dataset_invalid where other runs have labelled another dataset for this one; what it gives
 * throws out_of_memory where teachers would not fit
 */
export async function openStoredLabels(
  job: TrainingJob,
  config: CachedConfig,
  context: StoredLabelsContext,
): Promise<StoredLabels> {
  const weights = teacherWeights(config);
  const sum = weights.reduce((a, b) => a + b, 0);
  const members = config.teachers.map((source, i) => ({ source, weight: weights[i]! }));
  // A softmax of mean logits is no mean of the teachers' softmaxes: it has a cache for the whole ensemble.
  const isJoint = config.ensemble === 'mean-logit' && members.length > 1;
  const groups = isJoint ? [members] : members.map((member) => [member]);
  const labelled = config.softLabels.labelledBy === undefined ? null : readLabelledSets(job);
  const stores: LabelStore[] = [];
  try {
    for (const group of groups) {
      const share = group.reduce((part, { weight }) => part + weight, 0) / sum;
      stores.push({ ...(await openLabelStore(job, config, group, { ...context, labelled })), share });
    }
  } catch (error) {
    for (const { cache } of stores) cache.close();
    throw error;
  }
  const { viewsPerImage } = config.softLabels;
  const found = stores.map(({ cache }) => cache.coverage(viewsPerImage));
  const [there, total] = [found.reduce((n, c) => n + c.labelled, 0), found.reduce((n, c) => n + c.total, 0)];
  context.log(
    'info',
    `Soft labels come from ${context.folder}, which has ${there.toLocaleString('en')} of the ${total.toLocaleString('en')} labels of ${viewsPerImage} views per image.`,
  );
  return new StoredLabels(stores, (line) => context.log('warning', line), context.renderViews);
}

interface Member {
  source: TeacherSource;
  weight: number;
}

type StoreContext = Omit<StoredLabelsContext, 'renderViews'> & {
  /** Where other runs have labelled for this one: their sets. */
  labelled?: readonly LabelledSet[] | null;
};

/** The store of a set: one teacher's, or that of several whose logits are averaged. Its share is the whole. */
export async function openLabelStore(
  job: TrainerJob,
  config: CachedConfig | LabellingConfig,
  members: readonly Member[],
  { dataset, published, precision, folder, freeBytes, log, atOnce = 0, labelled = null }: StoreContext,
): Promise<KeyedLabelStore> {
  const classCount = dataset.classNames.length;
  const { ensemble, temperature } = methodOf(config);
  const kind = members.length > 1 && ensemble === 'mean-logit' ? 'mean-logit' : 'mean-probability';
  const { keep, augmentationSeed } = config.softLabels;
  const logits = keepsLogits(config);
  const teachers: LabelKey['teachers'] = [];
  for (const { source, weight } of members) {
    const file = teacherFile(source, job, published);
    const { mean, std } = file.normalisation ?? IMAGENET_NORMALISATION;
    const note: TeacherNote = {
      network: file.network,
      weights: await hashTeacher(file, classCount),
      normalisation: { mean: [...mean], std: [...std] },
    };
    teachers.push({ ...note, share: weight });
    try {
      noteTeacher(folder, teacherId(source), note);
    } catch (error) {
      // The disk is full or not to be written on: labels are found without the note, only the hub does not hear whose they are.
      log('warning', `It cannot be noted whose soft labels these are: ${(error as Error).message}`);
    }
  }
  const own: LabelKey = {
    formatVersion: LABEL_FORMAT_VERSION,
    dataset: { fingerprint: dataset.fingerprint, imageCount: dataset.splits.train.length },
    teachers,
    ensemble: { kind, temperature },
    views: { augmentationSeed, inputSize: teacherSize(config), interpolation: REFERENCE_VIEWS.interpolation },
    precision,
    classCount,
    // With no more classes than are kept, all are.
    labels: keep === 'full' || keep >= classCount ? { kind: 'full' } : { kind: 'top-k', k: keep },
    meanLogits: logits,
  };
  const key = labelled === null ? own : findLabelled(own, labelled);
  const createLabeller = async () => {
    const sources = members.map(({ source }) => source);
    const loaded = await loadTeachers(job, published, classCount, sources);
    const normalised = teachers.map(({ network, normalisation }) => ({ network, normalisation }));
    const weights = members.map(({ weight }) => weight);
    const batchSize = Math.min(config.batchSize, dataset.splits.train.length);
    const labeller = new Labeller(loaded, {
      batchSize,
      mean: kind === 'mean-logit' ? 'logit' : 'probability',
      temperature,
      weights,
      logits,
      precision,
      cache: graphCache('label', { kind, temperature, weights, logits, precision, teachers: normalised }),
    });
    try {
      const inputSize = teacherSize(config);
      if (atOnce > batchSize && (await fits(labeller.steps, { batchSize: atOnce, inputSize }, freeBytes())))
        labeller.atOnce = atOnce;
      else await requireFit(labeller.steps, { batchSize, inputSize }, freeBytes());
      return labeller;
    } catch (error) {
      labeller.dispose();
      throw error;
    }
  };
  return { key, cache: openLabelCache(folder, key, { writable: true }), share: 1, createLabeller };
}
