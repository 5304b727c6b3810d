/** A run that labels, as a run: the records, signals and exits of training, with the files of a set of labels as its checkpoints. */
import type { LabellingConfig } from '@mealtable/protocol/run-config';
import { labelsFolder } from '../labels/folder.ts';
import { LabelParts } from '../labels/label-parts.ts';
import { availableBytes, peakMemory } from './host-memory.ts';
import { LabelImages } from './label-images.ts';
import { LabellingProgress } from './labelling-progress.ts';
import { openImagePool, openTrainable, startRuntime } from './open-attempt.ts';
import { openLabelStore } from './open-stored-labels.ts';
import { obtainPublished } from './published-weights.ts';
import type { AttemptContext } from './run-attempt.ts';

/**
 * Every view of every training image gets its label, unless it has one already in this host's cache. A part of the set that is
 * complete becomes a file (label-parts.ts); checkpoints list the parts so far.
 */
export async function runLabelling(context: AttemptContext): Promise<'succeeded' | 'interrupted'> {
  const { job, records, labelsFolder: folder = labelsFolder(process.env) } = context;
  const config = job.grant.config as LabellingConfig;
  const dataset = await openTrainable(job.datasetPath);
  const published = await obtainPublished(job, dataset.classNames.length, { ...context, env: process.env });
  if (published === null) return 'interrupted';
  const pool = openImagePool(context, { inputSize: config.inputSize, seed: config.softLabels.augmentationSeed });
  try {
    const { runtime, precision } = await startRuntime(context, config.precision, 'labels');
    const { freeBytes = availableBytes } = context;
    const members = config.teachers.map((source) => ({ source, weight: source.weight ?? 1 }));
    const store = await openLabelStore(job, config, members, {
      dataset,
      published,
      precision,
      folder,
      freeBytes: () => (runtime.device === 'cpu' ? freeBytes() : null),
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
