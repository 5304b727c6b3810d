/** The soft labels that a training attempt looks up instead of asking its teachers in every step. */
import { teacherSize } from '@mealtable/protocol/run-config';
import type { ImagePool } from '../data/image-pool.ts';
import type { Runtime } from '../engine/runtime.ts';
import { labelsFolder } from '../labels/folder.ts';
import { availableBytes } from './host-memory.ts';
import type { TrainingJob } from './job.ts';
import { isCached, openStoredLabels, type StoredLabelsContext } from './open-stored-labels.ts';
import type { AttemptContext } from './run-attempt.ts';
import { MAX_BATCHES_AHEAD, type RenderViews, type StoredLabels } from './stored-labels.ts';

/** On a CPU, teachers take more images than a small batch's at once for less than as many times the time. A GPU is full of one batch. */
const AT_ONCE_ON_CPU = 128;

/** Null for runs that ask their teachers in every step, or have none. */
export async function openAttemptLabels(
  {
    job,
    records,
    labelsFolder: folder = labelsFolder(process.env),
    freeBytes = availableBytes,
  }: AttemptContext & { job: TrainingJob },
  {
    runtime,
    pool,
    ...prepared
  }: Pick<StoredLabelsContext, 'dataset' | 'published' | 'precision'> & { runtime: Runtime; pool: ImagePool },
): Promise<StoredLabels | null> {
  const { config } = job.grant;
  if (!isCached(config)) return null;
  const { train: split } = prepared.dataset.splits;
  const size = teacherSize(config);
  const renderViews: RenderViews = async (places, view) => {
    const locations = places.map((place) => split.locate(place));
    return (await pool.render(places, locations, view, [size])).pixels;
  };
  return openStoredLabels(job, config, {
    ...prepared,
    renderViews: size === config.inputSize ? null : renderViews,
    folder,
    atOnce:
      runtime.device === 'cpu'
        ? config.batchSize * Math.min(1 + MAX_BATCHES_AHEAD, Math.floor(AT_ONCE_ON_CPU / config.batchSize))
        : 0,
    freeBytes: () => (runtime.device === 'cpu' ? freeBytes() : null),
    log: (level, line) => records.log(level, line),
  });
}
