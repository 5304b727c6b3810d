/** Weights that a run begins with: teachers, another run's network, its own checkpoint. Whatever does not fit is `weights_missing`. */
import type { Rng } from '../engine/rng.ts';
import { createNetwork } from '../models/create-network.ts';
import type { FrozenNetwork, Network } from '../models/network.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { type CheckpointContent, readCheckpoint } from './checkpoint.ts';
import type { TeacherFile, TrainerJob } from './job.ts';
import { describeFailure, RunFailure } from './run-failure.ts';

/** Loads a safetensors file into `network`; `what` names its role in messages, e.g. "The teacher run_…". */
export async function loadWeights(network: Network, path: string, what: string): Promise<void> {
  try {
    network.loadStateDict((await readSafetensors(path)).tensors);
  } catch (error) {
    if (describeFailure(error).failureCode !== 'trainer_error') throw error;
    throw new RunFailure(
      'weights_missing',
      `${what} could not be loaded from ${path} as ${network.name} with ${network.numClasses} classes. ${(error as Error).message} Train it again, or choose another run.`,
      { cause: error },
    );
  }
}

/** The teachers in the order of the files. `rng` only fills weights that are then replaced. The caller disposes of them. */
export async function loadTeachers(
  files: readonly TeacherFile[],
  classCount: number,
  rng: Rng,
): Promise<FrozenNetwork[]> {
  const teachers: FrozenNetwork[] = [];
  try {
    for (const file of files) teachers.push(await loadTeacher(file, classCount, rng));
    return teachers;
  } catch (error) {
    for (const teacher of teachers) teacher.dispose();
    throw error;
  }
}

async function loadTeacher(file: TeacherFile, classCount: number, rng: Rng): Promise<FrozenNetwork> {
  const what = `The teacher ${file.runId}`;
  requireClasses(what, file.classCount, classCount);
  const network = createNetwork(file.network, classCount, rng);
  try {
    await loadWeights(network, file.path, what);
    return network.freeze();
  } finally {
    network.dispose();
  }
}

/** Puts the weights of the run that this one starts from into `network`, if it starts from one. */
export async function loadInitialisation(network: Network, job: TrainerJob): Promise<void> {
  const { initialisation } = job.grant;
  if (initialisation === null || job.initialisationPath === null) return;
  const what = `The start ${initialisation.runId}`;
  requireClasses(what, initialisation.classCount, network.numClasses);
  await loadWeights(network, job.initialisationPath, what);
}

/** The checkpoint to go on from, checked against the grant and the dataset. */
export async function loadResume(
  folder: string,
  job: TrainerJob,
  { classCount, trainImages }: { classCount: number; trainImages: number },
): Promise<CheckpointContent> {
  const { runId, config, resume } = job.grant;
  let content: CheckpointContent;
  try {
    content = await readCheckpoint(folder);
  } catch (error) {
    throw new RunFailure(
      'weights_missing',
      `The checkpoint in ${folder} cannot be read: ${(error as Error).message} Start the run again without it.`,
      { cause: error },
    );
  }
  const { progress } = content;
  const differences = [
    progress.runId !== runId && `it belongs to ${progress.runId}`,
    progress.network !== config.network && `it holds a ${progress.network}, not a ${config.network}`,
    progress.classCount !== classCount && `it knows ${progress.classCount} classes, the dataset has ${classCount}`,
    progress.stepsCompleted !== resume?.stepsCompleted &&
      `it is at step ${progress.stepsCompleted}, not at ${resume?.stepsCompleted}`,
  ].filter((text) => text !== false);
  if (differences.length > 0)
    throw new RunFailure(
      'weights_missing',
      `The checkpoint in ${folder} is not this run's: ${differences.join('; ')}. Start the run again without it.`,
    );
  if (progress.trainImages !== trainImages)
    throw new RunFailure(
      'dataset_invalid',
      `The dataset has ${trainImages} training images, but had ${progress.trainImages} when the run began. Put the old images back, or start the run again.`,
    );
  return content;
}

function requireClasses(what: string, given: number, wanted: number): void {
  if (given === wanted) return;
  throw new RunFailure(
    'weights_missing',
    `${what} knows ${given} classes, but the dataset has ${wanted}. Choose one trained on the same classes.`,
  );
}
