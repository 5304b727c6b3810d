/** The soft labels that a training attempt looks up instead of asking its teachers in every step. */
import { teacherSize } from '@mealtable/protocol/run-config';
import type { ImagePool } from '../data/image-pool.ts';
import type { Runtime } from '../engine/runtime.ts';
import { labelsFolder } from '../labels/folder.ts';
import { availableBytes } from './host-memory.ts';
import type { TrainingJob } from './job.ts';
import { isCached, openStoredLabels, type StoredLabelsContext } from './open-stored-labels.ts';
import type { AttemptContext } from './run-attempt.ts';
import type { RenderViews, StoredLabels } from './stored-labels.ts';

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
    freeBytes: () => (runtime.device === 'cpu' ? freeBytes() : null),
    log: (level, line) => records.log(level, line),
  });
}
