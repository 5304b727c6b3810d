/** A run that trains: puts data, networks and loop together. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeId } from '@mealtable/protocol/ids';
import type { Dataset } from '../data/dataset.ts';
import type { ImagePool } from '../data/image-pool.ts';
import { type Batch, TrainingBatches, validationBatches } from '../data/loader.ts';
import { DatasetInvalidError, UnreadableImages } from '../data/unreadable-images.ts';
import type { Precision } from '../engine/capture.ts';
import { compilesGraphs } from '../engine/environment.ts';
import { Rng } from '../engine/rng.ts';
import type { Runtime } from '../engine/runtime.ts';
import { viewOfEpoch } from '../labels/views.ts';
import type { Progress } from './checkpoint.ts';
import { createCheckpointSaver } from './checkpoint-saver.ts';
import { warnOfDeadDiscriminator } from './dead-discriminator.ts';
import { runFinalTest } from './final-test.ts';
import { graphCacheFor } from './graph-cache.ts';
import { availableBytes, describeMemory, peakMemory } from './host-memory.ts';
import { ATTEMPT_FILES, type TrainingJob } from './job.ts';
import { KeptModels, keepEarlier } from './kept-models.ts';
import { explainOutOfMemory, requireFit } from './memory.ts';
import { IMAGE_CACHE_BYTES, openImagePool, openTrainable, startRuntime } from './open-attempt.ts';
import { openAttemptLabels } from './open-attempt-labels.ts';
import { isCached } from './open-stored-labels.ts';
import { bothSizesOf } from './own-teacher-images.ts';
import { Predictor } from './predictor.ts';
import { prepareTask } from './prepare-task.ts';
import { obtainPublished } from './published-weights.ts';
import type { AttemptContext } from './run-attempt.ts';
import { sayingProgress } from './say-progress.ts';
import { StepRunner } from './step-runner.ts';
import type { StoredLabels } from './stored-labels.ts';
import type { Task } from './task.ts';
import { runTraining } from './training-loop.ts';
import { validate } from './validate.ts';

type TrainingContext = AttemptContext & { job: TrainingJob };

/** Pixels that may lie ready before the first step. */
const FIRST_BATCHES_BYTES = 32 * 1024 * 1024;

/** Rejects with whatever ended the run early; `describeFailure` puts it into words. */
export async function runTrainingAttempt(context: TrainingContext): Promise<'succeeded' | 'interrupted'> {
  const { job } = context;
  const { config } = job.grant;
  const dataset = await openTrainable(job.datasetPath);
  if (dataset.splits.train.length < 2)
    throw new DatasetInvalidError(`${job.datasetPath} has one training image. Batch norm needs at least 2.`);
  const published = await obtainPublished(job, dataset.classNames.length, { ...context, env: process.env });
  if (published === null) return 'interrupted';
  const seed = isCached(config) ? config.softLabels.augmentationSeed : config.seed;
  const pool = openImagePool(context, { inputSize: config.inputSize, seed });
  try {
    const loading = openBatches(context, dataset, pool);
    const { runtime, precision } = await startRuntime(context, config.precision, 'runs');
    const softLabels = await openAttemptLabels(context, { dataset, published, precision, runtime, pool });
    try {
      const backend = runtime.versionText;
      const { task, progress } = await prepareTask(job, dataset, { published, precision, backend });
      try {
        return await train(context, { dataset, pool, ...loading, task, softLabels, runtime, precision }, progress);
      } finally {
        task.dispose();
      }
    } finally {
      softLabels?.close();
    }
  } finally {
    await pool.close();
  }
}

/** The run's batches. The first ones of a fresh run are loaded while TensorFlow starts and the step's graph is made. */
function openBatches({ job, records }: TrainingContext, { splits }: Dataset, pool: ImagePool) {
  const { config } = job.grant;
  const unreadable = new UnreadableImages({ train: splits.train.length, val: splits.val.length }, (line) =>
    records.log('warning', line),
  );
  const views = isCached(config) ? config.softLabels.viewsPerImage : null;
  const training = new TrainingBatches(
    {
      pool,
      split: splits.train,
      unreadable,
      batchSize: config.batchSize,
      accumulation: config.accumulation,
      viewOf: views === null ? undefined : (epoch) => viewOfEpoch(epoch, views),
      bothSizes: bothSizesOf(config),
    },
    Rng.seeded(config.seed),
  );
  if (job.resumeDir === null) training.startFirst(FIRST_BATCHES_BYTES, config.inputSize);
  return { unreadable, training };
}

interface Prepared {
  dataset: Dataset;
  pool: ImagePool;
  unreadable: UnreadableImages;
  training: TrainingBatches;
  task: Task;
  softLabels: StoredLabels | null;
  runtime: Runtime;
  /** What this host computes in. */
  precision: Precision;
}

async function train(
  { attemptDir, job, records, shouldStop, freeBytes = availableBytes }: TrainingContext,
  { dataset, pool, unreadable, training, task, softLabels, runtime, precision }: Prepared,
  progress: Progress,
): Promise<'succeeded' | 'interrupted'> {
  const { config } = job.grant;
  const { batchSize } = config;
  const bothSizes = bothSizesOf(config);
  const { train: trainSplit, val: valSplit } = dataset.splits;
  const measured = task.averaged ?? task.network;
  const parameterCount = [...task.network.parameters.values()].reduce((sum, { size }) => sum + size, 0);
  records.write({
    kind: 'started',
    stepsCompleted: progress.stepsCompleted,
    stepsPerEpoch: training.stepsPerEpoch,
    totalSteps: training.stepsPerEpoch * config.epochs,
    backend: runtime.versionText,
    device: runtime.device,
    parameterCount,
  });
  records.log(
    'info',
    `${progress.stepsCompleted === 0 ? 'Training' : `Going on from step ${progress.stepsCompleted} with`} ${config.network} (${parameterCount.toLocaleString('en')} parameters) at ${config.inputSize} pixels on ${config.dataset}: ${trainSplit.length.toLocaleString('en')} images in ${dataset.classNames.length} classes, ${training.stepsPerEpoch} steps an epoch, ${valSplit.length.toLocaleString('en')} images to validate.`,
  );
  const kept = new KeptModels(join(attemptDir, ATTEMPT_FILES.kept));
  await keepEarlier(kept, job, progress, training.stepsPerEpoch);

  const shape = {
    batchSize: Math.min(batchSize, trainSplit.length),
    inputSize: config.inputSize,
    teacherInputSize: bothSizes?.[1],
  };
  const free = runtime.device === 'cpu' ? freeBytes() : null;
  await requireFit(task, shape, free === null ? null : Math.max(0, free - IMAGE_CACHE_BYTES));
  const steps = new StepRunner(task, {
    precision,
    cache: graphCacheFor(job, 'train'),
    stagesInputs: runtime.device === 'gpu',
    onFallback: (reason) => records.log('warning', `${reason} The run goes on op by op, which is slower.`),
  });
  const saveCheckpoint = await createCheckpointSaver({
    ...{ attemptDir, task, measured, kept, records },
    stepsPerEpoch: training.stepsPerEpoch,
    pull: () => steps.pull(),
  });
  const valBatchSize = Math.min(batchSize, valSplit.length);
  const predictor = new Predictor(measured, valBatchSize, graphCacheFor(job, 'predict'));
  const ended = runTraining(
    {
      config,
      steps,
      training,
      softLabels,
      timeTeachers: runtime.device === 'gpu' && compilesGraphs() ? null : (inputs) => steps.timeTeachers(inputs),
      validate: async () => {
        steps.pull();
        predictor.refresh();
        const batches = validationBatches({ pool, split: valSplit, batchSize: valBatchSize, unreadable });
        const predict = (batch: Batch) => predictor.predict(batch);
        const say = sayingProgress(records, 'Validating');
        return validate(predict, batches, shouldStop, (done) => say(done, valSplit.length));
      },
      peakMemory: () => peakMemory(runtime.device),
      unreadableCount: () => unreadable.count,
      records: warnOfDeadDiscriminator(records),
      saveCheckpoint,
      newCheckpointId: () => makeId('checkpoint', Date.now(), randomBytes(12)),
      shouldStop,
      wantsCheckpoint: () => !existsSync(join(attemptDir, ATTEMPT_FILES.cancel)),
      now: () => performance.now(),
    },
    progress,
  );
  const freed = ended.finally(() => {
    for (const graph of [steps, predictor]) graph.dispose();
  });
  const outcome = await freed.catch(async (error: unknown) => {
    throw explainOutOfMemory(error, task, shape, await describeMemory(runtime.device));
  });
  if (outcome === 'interrupted') return outcome;
  return runFinalTest({
    config,
    datasetPath: job.datasetPath,
    dataset,
    pool,
    unreadable,
    kept,
    totalSteps: training.stepsPerEpoch * config.epochs,
    cache: graphCacheFor(job, 'predict'),
    records,
    shouldStop,
    onProgress: sayingProgress(records, 'Testing'),
  });
}
