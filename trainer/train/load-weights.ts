/** Weights that a run begins with: teachers, a start, its own checkpoint. Whatever does not fit is `weights_missing`. */
import type { NetworkName } from '@mealtable/protocol/networks';
import { KNOWN_WEIGHTS, PUBLISHED_CLASS_COUNT } from '@mealtable/protocol/published-weights';
import { type TeacherSource, teachersOf } from '@mealtable/protocol/run-config';
import { IMAGENET_NORMALISATION, type Normalisation } from '../engine/pixels.ts';
import { hashWeights } from '../labels/key.ts';
import { createNetwork } from '../models/create-network.ts';
import type { FrozenNetwork, Network } from '../models/network.ts';
import { withNormalisation } from '../models/with-normalisation.ts';
import { classifierPrefix } from '../weights/classifier.ts';
import { openWeights } from '../weights/open-weights.ts';
import { readAll, type TensorSource } from '../weights/tensor-source.ts';
import { type OpenCheckpoint, openCheckpoint, type Progress } from './checkpoint.ts';
import type { TrainerJob, TrainingJob } from './job.ts';
import { type PublishedFiles, requireClasses } from './published-weights.ts';
import { describeFailure, RunFailure } from './run-failure.ts';

/** A file of weights and what to say of it. */
export interface WeightsToLoad {
  /** Its role in messages, e.g. "The teacher run_…". */
  what: string;
  network: NetworkName;
  classCount: number;
  path: string;
  /** What to do when they do not fit. */
  advice: string;
  /** How they want images normalised; ImageNet's way, in which everything is trained here, where it is not said. */
  normalisation?: Normalisation;
  /** The classifier stays as it is, whatever the file's is like. */
  replaceHead?: boolean;
}

const OTHER_RUN = 'Train it again, or choose another run.';
const OTHER_FILE = 'Put the right file there, or remove it so that it is downloaded.';

/** Loads a file into `network`, tensor by tensor. On a failure dispose of the network: it may be half loaded. */
export async function loadWeights(network: Network, weights: WeightsToLoad): Promise<void> {
  const { replaceHead = false } = weights;
  const leave = (name: string) => replaceHead && name.startsWith(classifierPrefix(network.name));
  await readWeights(weights, network.numClasses, (file) => network.load(file, { leave }));
}

/** What `read` makes of the file, which is open for as long as that takes. */
async function readWeights<T>(
  { what, network, path, advice }: WeightsToLoad,
  classCount: number,
  read: (file: TensorSource) => Promise<T>,
): Promise<T> {
  try {
    const file = await openWeights(path);
    try {
      return await read(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (describeFailure(error).failureCode !== 'trainer_error') throw error;
    throw new RunFailure(
      'weights_missing',
      `${what} could not be loaded from ${path} as ${network} with ${classCount} classes. ${(error as Error).message} ${advice}`,
      { cause: error },
    );
  }
}

/** The config's teachers, or only the `chosen` of them, in order. The caller disposes of them. */
export async function loadTeachers(
  job: TrainerJob,
  published: PublishedFiles,
  classCount: number,
  chosen?: readonly TeacherSource[],
): Promise<FrozenNetwork[]> {
  const sources = chosen ?? teachersOf(job.grant.config);
  const teachers: FrozenNetwork[] = [];
  try {
    for (const source of sources) teachers.push(await loadTeacher(teacherFile(source, job, published), classCount));
    return teachers;
  } catch (error) {
    for (const teacher of teachers) teacher.dispose();
    throw error;
  }
}

/** Hash of a teacher's weights, see `hashWeights`; no network is built. @throws {RunFailure} weights_missing */
export async function hashTeacher(weights: WeightsToLoad, classCount: number): Promise<string> {
  requireTeacherClasses(weights, classCount);
  return readWeights(weights, classCount, async (file) => hashWeights(await readAll(file)));
}

function requireTeacherClasses({ what, classCount: given }: WeightsToLoad, classCount: number): void {
  requireClasses(what, given, classCount, 'Choose one trained on the same classes.');
}

/** A teacher's file, which is on this host already. */
export function teacherFile(
  source: TeacherSource,
  job: Pick<TrainerJob, 'teacherPaths'>,
  published: PublishedFiles,
): WeightsToLoad {
  if (source.kind === 'pretrained') return publishedWeights('The teacher', source.weights, published);
  const { runId, network, classCount, path } = job.teacherPaths.find((file) => file.runId === source.runId)!;
  return { what: `The teacher ${runId}`, network, classCount, path, advice: OTHER_RUN };
}

function publishedWeights(role: string, name: string, published: PublishedFiles): WeightsToLoad {
  const {
    network,
    published: { preprocessing: normalisation },
  } = KNOWN_WEIGHTS.get(name)!;
  const path = published.get(name)!;
  return {
    what: `${role} ${name}`,
    network,
    classCount: PUBLISHED_CLASS_COUNT,
    path,
    normalisation,
    advice: OTHER_FILE,
  };
}

async function loadTeacher(weights: WeightsToLoad, classCount: number): Promise<FrozenNetwork> {
  requireTeacherClasses(weights, classCount);
  const network = createNetwork(weights.network, classCount, null);
  try {
    await loadWeights(network, weights);
    return withNormalisation(network.freeze(), weights.normalisation ?? IMAGENET_NORMALISATION);
  } finally {
    network.dispose();
  }
}

/** Puts the weights that the run starts from into `network`, if it starts from any and does not go on from a checkpoint. */
export async function loadInitialisation(network: Network, job: TrainingJob, published: PublishedFiles): Promise<void> {
  const { config, initialisation } = job.grant;
  if (job.resumeDir !== null) return;
  if (config.initialisation.kind === 'pretrained') {
    const { weights, head } = config.initialisation;
    const replaceHead = head === 'replace';
    return loadWeights(network, { ...publishedWeights('The start', weights, published), replaceHead });
  }
  if (initialisation === null || job.initialisationPath === null) return;
  const what = `The start ${initialisation.runId}`;
  const { classCount } = initialisation;
  requireClasses(what, classCount, network.numClasses, 'Choose one trained on the same classes.');
  const path = job.initialisationPath;
  await loadWeights(network, { what, network: network.name, classCount, path, advice: OTHER_RUN });
}

/**
 * Puts the model of the checkpoint to go on from into `network`, once it is checked against the grant and the dataset.
 * @returns what else is in the checkpoint
 */
export async function loadResume(
  network: Network,
  folder: string,
  job: TrainingJob,
  trainImages: number,
): Promise<Omit<OpenCheckpoint, 'model'>> {
  const unreadable = (error: unknown): never => {
    if (describeFailure(error).failureCode !== 'trainer_error') throw error;
    throw new RunFailure(
      'weights_missing',
      `The checkpoint in ${folder} cannot be read: ${(error as Error).message} Start the run again without it.`,
      { cause: error },
    );
  };
  const { model, state, progress } = await openCheckpoint(folder).catch(unreadable);
  try {
    requireOwn(progress, folder, job, { classCount: network.numClasses, trainImages });
    await network.load(model).catch(unreadable);
    return { state, progress };
  } finally {
    await model.close();
  }
}

function requireOwn(
  progress: Progress,
  folder: string,
  { grant: { runId, config, resume } }: TrainingJob,
  { classCount, trainImages }: { classCount: number; trainImages: number },
): void {
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
}
