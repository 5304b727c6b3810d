/** The caches that a run's soft labels come from, and what makes two runs' labels the same. */
import { join } from 'node:path';
import { methodOf } from '@mealtable/protocol/distillation-method';
import {
  type DistillationConfig,
  type TeacherSource,
  teacherSize,
  teacherWeights,
} from '@mealtable/protocol/run-config';
import { type CachedLabels, needsLogits } from '@mealtable/protocol/soft-labels';
import { REFERENCE_VIEWS } from '../data/augment.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Precision } from '../engine/capture.ts';
import { IMAGENET_NORMALISATION } from '../engine/pixels.ts';
import { findCacheFolder } from '../engine/setup/plan.mjs';
import { LABEL_FORMAT_VERSION, type LabelKey } from '../labels/key.ts';
import { openLabelCache } from '../labels/label-cache.ts';
import { graphCache } from './graph-cache.ts';
import type { TrainingJob } from './job.ts';
import { Labeller } from './labeller.ts';
import { hashTeacher, loadTeachers, teacherFile } from './load-weights.ts';
import { requireFit } from './memory.ts';
import type { PublishedFiles } from './published-weights.ts';
import { type LabelStore, type RenderViews, StoredLabels } from './stored-labels.ts';

type CachedConfig = DistillationConfig & { softLabels: CachedLabels };

export interface StoredLabelsContext {
  dataset: Dataset;
  published: PublishedFiles;
  /** What this host computes in. */
  precision: Precision;
  /** Of all keys' labels. */
  folder: string;
  /** Bytes of memory that teachers may take, null for not known. Asked before they label for the first time. */
  freeBytes(): number | null;
  /** Where the teachers' images are of a size of their own; the batches' unless given. */
  renderViews?: RenderViews | null;
  log(level: 'info' | 'warning', line: string): void;
}

/** Of the labels of all datasets and teachers on this host. */
export const labelsFolder = (env: Record<string, string | undefined>): string => join(findCacheFolder(env), 'labels');

/** Whether the run's labels come out of a cache. */
export function isCached(config: TrainingJob['grant']['config']): config is CachedConfig {
  return config.task === 'distillation' && config.softLabels?.mode === 'cached';
}

/** Whether the caches hold the teachers' logits. */
const keepsLogits = (config: CachedConfig): boolean => config.softLabels.logits ?? needsLogits(config);

/**
 * Reads every teacher's file to know whose labels these are, but builds no network. The caller closes what it gets.
 * @throws {RunFailure} weights_missing; what it gives throws out_of_memory where teachers would not fit
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
  const stores: LabelStore[] = [];
  try {
    for (const group of groups) {
      const share = group.reduce((part, { weight }) => part + weight, 0) / sum;
      stores.push(await openStore(job, config, group, share, context));
    }
  } catch (error) {
    for (const { cache } of stores) cache.close();
    throw error;
  }
  const { viewsPerImage } = config.softLabels;
  const found = stores.map(({ cache }) => cache.coverage(viewsPerImage));
  const [labelled, total] = [found.reduce((n, c) => n + c.labelled, 0), found.reduce((n, c) => n + c.total, 0)];
  context.log(
    'info',
    `Soft labels come from ${context.folder}, which has ${labelled.toLocaleString('en')} of the ${total.toLocaleString('en')} labels of ${viewsPerImage} views per image.`,
  );
  return new StoredLabels(stores, (line) => context.log('warning', line), context.renderViews);
}

interface Member {
  source: TeacherSource;
  weight: number;
}

async function openStore(
  job: TrainingJob,
  config: CachedConfig,
  members: readonly Member[],
  share: number,
  { dataset, published, precision, folder, freeBytes }: StoredLabelsContext,
): Promise<LabelStore> {
  const classCount = dataset.classNames.length;
  const { ensemble, temperature } = methodOf(config);
  const kind = members.length > 1 && ensemble === 'mean-logit' ? 'mean-logit' : 'mean-probability';
  const { keep, augmentationSeed } = config.softLabels;
  const logits = keepsLogits(config);
  const teachers: LabelKey['teachers'] = [];
  for (const { source, weight } of members) {
    const file = teacherFile(source, job, published);
    const { mean, std } = file.normalisation ?? IMAGENET_NORMALISATION;
    teachers.push({
      network: file.network,
      weights: await hashTeacher(file, classCount),
      share: weight,
      normalisation: { mean: [...mean], std: [...std] },
    });
  }
  const key: LabelKey = {
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
      await requireFit(labeller.steps, { batchSize, inputSize: teacherSize(config) }, freeBytes());
      return labeller;
    } catch (error) {
      labeller.dispose();
      throw error;
    }
  };
  return { cache: openLabelCache(folder, key, { writable: true }), share, createLabeller };
}
