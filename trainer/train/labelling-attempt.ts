/** A run that labels, as a run: the records, signals and exits of training, with the files of a set of labels as its checkpoints. */
import type { LabellingConfig } from '@mealtable/protocol/run-config';
import { explainValidationOnly } from '@mealtable/protocol/validation-only';
import { REFERENCE_VIEWS } from '../data/augment.ts';
import type { Dataset } from '../data/dataset.ts';
import { ImagePool } from '../data/image-pool.ts';
import { datasetCacheFolder, openDataset } from '../data/open-dataset.ts';
import { DatasetInvalidError } from '../data/unreadable-images.ts';
import { loadRuntime } from '../engine/runtime.ts';
import { labelsFolder } from '../labels/folder.ts';
import { LabelParts } from '../labels/label-parts.ts';
import { availableBytes, peakMemory } from './host-memory.ts';
import { LabelImages } from './label-images.ts';
import { LabellingProgress } from './labelling-progress.ts';
import { openLabelStore } from './open-stored-labels.ts';
import { obtainPublished } from './published-weights.ts';
import type { AttemptContext } from './run-attempt.ts';

/** Images are asked for once in every view: keeping decoded ones pays for small datasets alone. */
const IMAGE_CACHE_BYTES = 256 * 1024 * 1024;
const MAX_IMAGE_THREADS = 16;

/**
 * Every view of every training image gets its label, unless it has one already in this host's cache. A part of the set that is
 * complete becomes a file (label-parts.ts); checkpoints list the parts so far.
 */
export async function runLabelling(context: AttemptContext): Promise<'succeeded' | 'interrupted'> {
  const { job, records, imageWorkerUrl, labelsFolder: folder = labelsFolder(process.env) } = context;
  const config = job.grant.config as LabellingConfig;
  const dataset = await openTrainable(job.datasetPath);
  const published = await obtainPublished(job, dataset.classNames.length, { ...context, env: process.env });
  if (published === null) return 'interrupted';
  const pool = new ImagePool({
    workerUrl: imageWorkerUrl,
    seed: config.softLabels.augmentationSeed,
    views: { inputSize: config.inputSize, ...REFERENCE_VIEWS },
    threads: Math.min(job.threads, MAX_IMAGE_THREADS),
    cacheBytes: IMAGE_CACHE_BYTES,
  });
  try {
    const runtime = await loadRuntime({ ...process.env, MEALTABLE_THREADS: String(job.threads) });
    if (runtime.announce !== null) records.log('warning', runtime.announce);
    const isCpu = runtime.device === 'cpu';
    if (config.precision !== 'float32' && isCpu)
      records.log(
        'warning',
        `The run asks for ${config.precision}, but this host computes on a CPU: it labels in float32.`,
      );
    const { freeBytes = availableBytes } = context;
    const members = config.teachers.map((source) => ({ source, weight: source.weight ?? 1 }));
    const store = await openLabelStore(job, config, members, {
      dataset,
      published,
      precision: isCpu ? 'float32' : config.precision,
      folder,
      freeBytes: () => (isCpu ? freeBytes() : null),
      log: (level, line) => records.log(level, line),
    });
    const images = new LabelImages({ store, pool, split: dataset.splits.train, config, records });
    try {
      const parts = new LabelParts(folder, store.key);
      const progress = new LabellingProgress({ ...context, config, runtime, parts, store, images });
      const outcome = await progress.run();
      if (outcome === 'succeeded') progress.report(await peakMemory(runtime.device));
      return outcome;
    } finally {
      images.dispose();
      store.cache.close();
    }
  } finally {
    await pool.close();
  }
}

async function openTrainable(path: string): Promise<Dataset> {
  const dataset = await openDataset(path, datasetCacheFolder(process.env));
  if (dataset.problems.length > 0) throw new DatasetInvalidError(dataset.problems.join(' '));
  if (dataset.splits.train.length === 0) throw new DatasetInvalidError(explainValidationOnly(path));
  return dataset;
}
