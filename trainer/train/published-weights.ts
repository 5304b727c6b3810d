/** Published weights that a run begins with, brought onto this host before anything else of it starts. */
import { PUBLISHED_CLASS_COUNT } from '@mealtable/protocol/published-weights';
import { teachersOf } from '@mealtable/protocol/run-config';
import { type ObtainOptions, obtainWeights, WeightsMissing } from '../weights/sources/obtain-weights.ts';
import type { TrainerJob } from './job.ts';
import { RunFailure } from './run-failure.ts';
import { MAX_SILENCE_MS } from './step-meter.ts';

/** Files by the weights' names. */
export type PublishedFiles = ReadonlyMap<string, string>;

export interface PublishedContext {
  records: { log(level: 'info', line: string): unknown };
  shouldStop: () => boolean;
  /** `process.env`: where weights are kept and had from. */
  env: ObtainOptions['env'];
}

const LOOK_FOR_STOP_MS = 200;

/**
 * @param classCount of the dataset
 * @returns null when a stop came in between; what was downloaded until then is gone on with the next time
 * @throws {RunFailure} weights_missing, when some cannot be had or know other classes
 */
export async function obtainPublished(
  job: TrainerJob,
  classCount: number,
  context: PublishedContext,
): Promise<PublishedFiles | null> {
  return obtainFiles(publishedNames(job, classCount), context);
}

/** The same for given names, whatever they are wanted for. */
export async function obtainFiles(
  names: readonly string[],
  { records, shouldStop, env }: PublishedContext,
): Promise<PublishedFiles | null> {
  const files = new Map<string, string>();
  if (names.length === 0) return files;
  const stop = new AbortController();
  let spoke = performance.now();
  const log = (line: string) => {
    spoke = performance.now();
    records.log('info', line);
  };
  const watch = setInterval(() => {
    if (shouldStop()) stop.abort();
    // While another run downloads them for both, this one is not stalled.
    else if (performance.now() - spoke > MAX_SILENCE_MS) log('Still waiting for the weights.');
  }, LOOK_FOR_STOP_MS);
  try {
    for (const name of names) files.set(name, await obtainWeights(name, { env, log, signal: stop.signal }));
    return files;
  } catch (error) {
    if (stop.signal.aborted) return null;
    if (error instanceof WeightsMissing) throw new RunFailure('weights_missing', error.message, { cause: error });
    throw error;
  } finally {
    clearInterval(watch);
  }
}

function publishedNames({ grant: { config }, resumeDir }: TrainerJob, classCount: number): string[] {
  const names = new Set<string>();
  const initialisation = 'initialisation' in config ? config.initialisation : null;
  // A checkpoint to go on from replaces whatever the run began with.
  if (initialisation?.kind === 'pretrained' && resumeDir === null) {
    const { weights, head } = initialisation;
    if (head === 'keep')
      requireClasses(`The start ${weights}`, PUBLISHED_CLASS_COUNT, classCount, 'Replace the head of the start.');
    names.add(weights);
  }
  for (const teacher of teachersOf(config)) {
    if (teacher.kind !== 'pretrained') continue;
    requireClasses(
      `The teacher ${teacher.weights}`,
      PUBLISHED_CLASS_COUNT,
      classCount,
      'First train a network on this dataset that starts from these weights with the head replaced, and let that teach.',
    );
    names.add(teacher.weights);
  }
  return [...names];
}

/** @throws {RunFailure} weights_missing, with `advice` at its end */
export function requireClasses(what: string, given: number, wanted: number, advice: string): void {
  if (given === wanted) return;
  throw new RunFailure('weights_missing', `${what} knows ${given} classes, but the dataset has ${wanted}. ${advice}`);
}
