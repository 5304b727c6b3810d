/** What training and labelling begin with: their images and TensorFlow. */
import { explainValidationOnly } from '@mealtable/protocol/validation-only';
import { REFERENCE_VIEWS } from '../data/augment.ts';
import type { Dataset } from '../data/dataset.ts';
import { ImagePool } from '../data/image-pool.ts';
import { datasetCacheFolder, openDataset } from '../data/open-dataset.ts';
import { DatasetInvalidError } from '../data/unreadable-images.ts';
import type { Precision } from '../engine/capture.ts';
import { loadRuntime, type Runtime } from '../engine/runtime.ts';
import type { TrainerJob } from './job.ts';
import type { AttemptContext } from './run-attempt.ts';

/** Memory for decoded images: datasets below it are decoded once per run. */
export const IMAGE_CACHE_BYTES = 256 * 1024 * 1024;
const MAX_IMAGE_THREADS = 16;

/** Throws DatasetInvalidError for a dataset that has problems or no training images. */
export async function openTrainable(path: string): Promise<Dataset> {
  const dataset = await openDataset(path, datasetCacheFolder(process.env));
  if (dataset.problems.length > 0) throw new DatasetInvalidError(dataset.problems.join(' '));
  if (dataset.splits.train.length === 0) throw new DatasetInvalidError(explainValidationOnly(path));
  return dataset;
}

/** @param seed decides crops and flips */
export function openImagePool(
  { imageWorkerUrl, job }: Pick<AttemptContext, 'imageWorkerUrl'> & { job: Pick<TrainerJob, 'threads'> },
  { inputSize, seed }: { inputSize: number; seed: number },
): ImagePool {
  return new ImagePool({
    workerUrl: imageWorkerUrl,
    seed,
    views: { inputSize, ...REFERENCE_VIEWS },
    threads: Math.min(job.threads, MAX_IMAGE_THREADS),
    cacheBytes: IMAGE_CACHE_BYTES,
  });
}

/**
 * Loads TensorFlow; the log says what a user would not expect of it.
 * @param verb what the run does, in the log: "runs" or "labels"
 * @returns the precision too that this host computes in: on a CPU float32 whatever is asked for
 */
export async function startRuntime(
  { job: { threads }, records }: Pick<AttemptContext, 'job' | 'records'>,
  asked: Precision,
  verb: 'runs' | 'labels',
): Promise<{ runtime: Runtime; precision: Precision }> {
  const runtime = await loadRuntime({ ...process.env, MEALTABLE_THREADS: String(threads) });
  if (runtime.announce !== null) records.log('warning', runtime.announce);
  const isCpu = runtime.device === 'cpu';
  if (asked !== 'float32' && isCpu)
    records.log('warning', `The run asks for ${asked}, but this host computes on a CPU: it ${verb} in float32.`);
  return { runtime, precision: isCpu ? 'float32' : asked };
}
