/** What a training attempt trains, with everything in it that its config asks for. */
import { methodOf } from '@mealtable/protocol/distillation-method';
import { teacherWeights } from '@mealtable/protocol/run-config';
import { needsLogits } from '@mealtable/protocol/soft-labels';
import type { Dataset } from '../data/dataset.ts';
import { createDiscriminator } from '../distill/discriminator.ts';
import type { Precision } from '../engine/capture.ts';
import { Rng } from '../engine/rng.ts';
import { createNetwork } from '../models/create-network.ts';
import type { Network } from '../models/network.ts';
import type { Progress } from './checkpoint.ts';
import { createClassificationTask } from './classification.ts';
import { createDistillationTask } from './distillation.ts';
import { withGivenLabels } from './given-labels.ts';
import type { TrainingJob } from './job.ts';
import { loadInitialisation, loadResume, loadTeachers } from './load-weights.ts';
import { isCached } from './open-stored-labels.ts';
import { bothSizesOf, withTeacherImages } from './own-teacher-images.ts';
import type { PublishedFiles } from './published-weights.ts';
import type { Task } from './task.ts';
import { followRecipe, updaterOptionsOf } from './training-recipe.ts';

/** The task at its starting point, fresh or as the checkpoint to resume left it. The caller disposes of it. */
export async function prepareTask(
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
