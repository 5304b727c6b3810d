/** One attempt from its work order to its end: puts data, networks and loop together. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { methodOf } from '@mealtable/protocol/distillation-method';
import { makeId } from '@mealtable/protocol/ids';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import { teacherSize, teacherWeights } from '@mealtable/protocol/run-config';
import { needsLogits } from '@mealtable/protocol/soft-labels';
import { explainValidationOnly } from '@mealtable/protocol/validation-only';
import { REFERENCE_VIEWS } from '../data/augment.ts';
import type { Dataset } from '../data/dataset.ts';
import { ImagePool } from '../data/image-pool.ts';
import { type Batch, TrainingBatches, validationBatches } from '../data/loader.ts';
import { datasetCacheFolder, openDataset } from '../data/open-dataset.ts';
import { DatasetInvalidError, UnreadableImages } from '../data/unreadable-images.ts';
import { createDiscriminator } from '../distill/discriminator.ts';
import type { Precision } from '../engine/capture.ts';
import { compilesGraphs } from '../engine/environment.ts';
import { Rng } from '../engine/rng.ts';
import { loadRuntime, type Runtime } from '../engine/runtime.ts';
import { labelsFolder } from '../labels/folder.ts';
import { viewOfEpoch } from '../labels/views.ts';
import { createNetwork } from '../models/create-network.ts';
import type { Network } from '../models/network.ts';
import { type Progress, pruneCheckpoints, writeCheckpoint } from './checkpoint.ts';
import { createClassificationTask } from './classification.ts';
import { warnOfDeadDiscriminator } from './dead-discriminator.ts';
import { createDistillationTask } from './distillation.ts';
import { finiteOnly, requireFinite } from './divergence.ts';
import { runEvaluation } from './evaluation-attempt.ts';
import { runFinalTest } from './final-test.ts';
import { withGivenLabels } from './given-labels.ts';
import { graphCacheFor } from './graph-cache.ts';
import { availableBytes, describeMemory, peakMemory } from './host-memory.ts';
import { ATTEMPT_FILES, isTraining, type TrainerJob, type TrainingJob } from './job.ts';
import { KeptModels, keepEarlier, TESTED } from './kept-models.ts';
import { runLabelling } from './labelling-attempt.ts';
import type { LabellingLimits } from './labelling-progress.ts';
import { loadInitialisation, loadResume, loadTeachers } from './load-weights.ts';
import { explainOutOfMemory, requireFit } from './memory.ts';
import { isCached, openStoredLabels, type StoredLabelsContext } from './open-stored-labels.ts';
import { bothSizesOf, withTeacherImages } from './own-teacher-images.ts';
import { Predictor } from './predictor.ts';
import { obtainPublished, type PublishedFiles } from './published-weights.ts';
import type { RecordWriter } from './record-writer.ts';
import { sayingProgress } from './say-progress.ts';
import { StepRunner } from './step-runner.ts';
import type { RenderViews, StoredLabels } from './stored-labels.ts';
import type { Task } from './task.ts';
import { runTraining } from './training-loop.ts';
import { followRecipe, updaterOptionsOf } from './training-recipe.ts';
import { validate } from './validate.ts';

/** Memory for decoded images: datasets below it are decoded once per run. */
const IMAGE_CACHE_BYTES = 256 * 1024 * 1024;
const MAX_IMAGE_THREADS = 16;

export interface AttemptContext {
  attemptDir: string;
  job: TrainerJob;
  records: Pick<RecordWriter, 'write' | 'log'>;
  /** The bundled image-worker.ts. */
  imageWorkerUrl: URL;
  /** Asked between steps. */
  shouldStop: () => boolean;
  /** Bytes of memory that a run on the CPU may still take, null for not known. Asked before the first step. */
  freeBytes?: () => number | null;
  /** Where soft labels are kept; this host's cache unless given. */
  labelsFolder?: string;
  /** Of a run that labels; LABELLING_LIMITS unless given. */
  labellingLimits?: Partial<LabellingLimits>;
}

/** Rejects with whatever ended the run early; `describeFailure` puts it into words. */
export async function runAttempt({ job, ...context }: AttemptContext): Promise<'succeeded' | 'interrupted'> {
  if (isTraining(job)) return runTrainingAttempt({ ...context, job });
  if (job.grant.config.task === 'labelling') return runLabelling({ ...context, job });
  return runEvaluation({ ...context, job });
}

type TrainingContext = AttemptContext & { job: TrainingJob };

async function runTrainingAttempt(context: TrainingContext): Promise<'succeeded' | 'interrupted'> {
  const { job, imageWorkerUrl, records } = context;
  const { config } = job.grant;
  const dataset = await openUsable(job.datasetPath);
  const published = await obtainPublished(job, dataset.classNames.length, { ...context, env: process.env });
  if (published === null) return 'interrupted';
  const pool = new ImagePool({
    workerUrl: imageWorkerUrl,
    seed: isCached(config) ? config.softLabels.augmentationSeed : config.seed,
    views: { inputSize: config.inputSize, ...REFERENCE_VIEWS },
    threads: Math.min(job.threads, MAX_IMAGE_THREADS),
    cacheBytes: IMAGE_CACHE_BYTES,
  });
  try {
    const runtime = await loadRuntime({ ...process.env, MEALTABLE_THREADS: String(job.threads) });
    if (runtime.announce !== null) records.log('warning', runtime.announce);
    if (config.precision !== 'float32' && runtime.device === 'cpu')
      records.log(
        'warning',
        `The run asks for ${config.precision}, but this host computes on a CPU: it runs in float32.`,
      );
    const precision = runtime.device === 'cpu' ? 'float32' : config.precision;
    const softLabels = await openLabels(context, { dataset, published, precision, runtime, pool });
    try {
      const { task, progress } = await prepareTask(job, dataset, {
        published,
        precision,
        backend: runtime.versionText,
      });
      try {
        return await train(context, { dataset, pool, task, softLabels, runtime, precision }, progress);
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

async function openUsable(path: string): Promise<Dataset> {
  const dataset = await openDataset(path, datasetCacheFolder(process.env));
  if (dataset.problems.length > 0) throw new DatasetInvalidError(dataset.problems.join(' '));
  if (dataset.splits.train.length === 0) throw new DatasetInvalidError(explainValidationOnly(path));
  if (dataset.splits.train.length < 2)
    throw new DatasetInvalidError(`${path} has one training image. Batch norm needs at least 2.`);
  return dataset;
}

/** Null for runs that ask their teachers in every step, or have none. */
async function openLabels(
  { job, records, labelsFolder: folder = labelsFolder(process.env), freeBytes = availableBytes }: TrainingContext,
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

/** The task at its starting point, fresh or as the checkpoint to resume left it. The caller disposes of it. */
async function prepareTask(
  job: TrainingJob,
  dataset: Dataset,
  { published, precision, backend }: { published: PublishedFiles; precision: Precision; backend: string },
): Promise<{ task: Task; progress: Progress }> {
  const { runId, config } = job.grant;
  const classCount = dataset.classNames.length;
  const trainImages = dataset.splits.train.length;
  const rng = Rng.seeded(config.seed);
  const network = createNetwork(config.network, classCount, rng.stream('network'));
  let task: Task | null = null;
  try {
    await loadInitialisation(network, job, published);
    task = await createTask(job, network, { rng, published, precision });
    task = await followRecipe(task, config);
    const bothSizes = bothSizesOf(config);
    if (bothSizes !== undefined) task = withTeacherImages(task, bothSizes[1]);
    if (job.resumeDir !== null) {
      const { state, progress } = await loadResume(task.averaged ?? network, job.resumeDir, job, trainImages);
      task.loadState(state);
      return { task, progress: { ...progress, backend } };
    }
  } catch (error) {
    (task ?? network).dispose();
    throw error;
  }
  const identity = { version: 1, runId, network: config.network, classCount, trainImages, backend } as const;
  return { task, progress: { ...identity, stepsCompleted: 0, epochsValidated: 0, best: null } };
}

async function createTask(
  job: TrainingJob,
  network: Network,
  { rng, published, precision }: { rng: Rng; published: PublishedFiles; precision: Precision },
): Promise<Task> {
  const { config } = job.grant;
  const options = { ...updaterOptionsOf(config), precision };
  if (config.task === 'classification') return createClassificationTask(network, options, config.labelSmoothing);
  const teachers = isCached(config) ? [] : await loadTeachers(job, published, network.numClasses);
  const method = methodOf(config);
  const discriminator = config.discriminator
    ? createDiscriminator(network.numClasses, rng, method.discriminator)
    : null;
  const choices = { method, teacherWeights: teacherWeights(config), seed: config.seed };
  const task = createDistillationTask({ student: network, teachers, discriminator }, options, choices);
  return isCached(config) ? withGivenLabels(task, network.numClasses, needsLogits(config)) : task;
}

interface Prepared {
  dataset: Dataset;
  pool: ImagePool;
  task: Task;
  softLabels: StoredLabels | null;
  runtime: Runtime;
  /** What this host computes in. */
  precision: Precision;
}

async function train(
  { attemptDir, job, records, shouldStop, freeBytes = availableBytes }: TrainingContext,
  { dataset, pool, task, softLabels, runtime, precision }: Prepared,
  progress: Progress,
): Promise<'succeeded' | 'interrupted'> {
  const { config } = job.grant;
  const { train: trainSplit, val: valSplit } = dataset.splits;
  const { batchSize } = config;
  const unreadable = new UnreadableImages({ train: trainSplit.length, val: valSplit.length }, (line) =>
    records.log('warning', line),
  );
  const views = isCached(config) ? config.softLabels.viewsPerImage : null;
  const viewOf = views === null ? undefined : (epoch: number) => viewOfEpoch(epoch, views);
  const bothSizes = bothSizesOf(config);
  const training = new TrainingBatches(
    { pool, split: trainSplit, batchSize, unreadable, accumulation: config.accumulation, viewOf, bothSizes },
    Rng.seeded(config.seed),
  );
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
  const checkpointsDir = join(attemptDir, ATTEMPT_FILES.checkpoints);
  await mkdir(checkpointsDir, { recursive: true });
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
      saveCheckpoint: async (checkpointId, reached, top1, isBest) => {
        steps.pull();
        const model = finiteOnly(measured.toSource(), reached.stepsCompleted);
        const state = await task.toState();
        requireFinite(state, reached.stepsCompleted);
        const files = await writeCheckpoint(checkpointsDir, checkpointId, { model, state, progress: reached });
        const { stepsCompleted } = reached;
        const epoch = stepsCompleted / training.stepsPerEpoch;
        const modelPath = join(checkpointsDir, checkpointId, CHECKPOINT_FILES.model);
        for (const which of TESTED) if (which === 'latest' || isBest) await kept.keep(which, epoch, modelPath);
        records.write({ kind: 'checkpoint', checkpointId, stepsCompleted, epoch, top1, isBest, files });
        await pruneCheckpoints(checkpointsDir, new Set([checkpointId, reached.best?.checkpointId ?? '']));
      },
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
