/** Where a run's graphs are kept on this machine, and what makes two runs' graphs the same. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { methodOf } from '@mealtable/protocol/distillation-method';
import { type TrainingConfig, teacherSize, teacherWeights } from '@mealtable/protocol/run-config';
import type { GraphCache } from '../engine/graph/cache.ts';
import { findCacheFolder } from '../engine/setup/plan.mjs';
import type { TrainerJob, TrainingJob } from './job.ts';

/**
 * The cache for one of a run's graphs, or null where the program is not the bundled one: sources on their own do not tell
 * which version they are. Shapes are no part of the key: the cache compares them itself.
 */
export function graphCacheFor(job: TrainingJob, graph: 'train' | 'predict'): GraphCache | null {
  return graphCache(graph, computationOf(job));
}

/** @param computation whatever decides which ops the graph consists of */
export function graphCache(graph: 'train' | 'predict' | 'label', computation: unknown): GraphCache | null {
  const program = fileURLToPath(import.meta.url);
  if (!program.endsWith('.js')) return null;
  const version = createHash('sha256').update(readFileSync(program)).digest('hex');
  const key = JSON.stringify([version, graph, computation]);
  return { folder: join(findCacheFolder(process.env), 'graphs'), key };
}

/** What of a run decides which ops a step consists of; learning rates, seeds and epochs do not. */
function computationOf({ grant: { config }, teacherPaths }: TrainingJob): unknown {
  const { task, network, precision, ema, accumulation, mixing } = config;
  const { learningRate: _, schedule: __, ...optimizer } = config.optimizer;
  const common = { task, network, optimizer, precision, ema, accumulation, mixing: mixing?.kind };
  if (config.task === 'classification') return { ...common, labelSmoothing: config.labelSmoothing ?? 0 };
  const student = { ...common, discriminator: config.discriminator, method: methodOf(config) };
  // Soft labels from elsewhere: whoever the teachers are, the step is the same.
  if (config.softLabels?.mode === 'cached') return { ...student, softLabels: 'given' };
  return {
    ...student,
    teachers: teacherNetworks(config.teachers, teacherPaths),
    teacherWeights: teacherWeights(config),
    teachersSeeTheirOwn: teacherSize(config) !== config.inputSize,
  };
}

function teacherNetworks(
  teachers: Extract<TrainingConfig, { task: 'distillation' }>['teachers'],
  files: TrainerJob['teacherPaths'],
): (string | undefined)[] {
  return teachers.map((teacher) =>
    teacher.kind === 'pretrained'
      ? // Not their network alone: they may want images normalised in their own way.
        teacher.weights
      : files.find((file) => file.runId === teacher.runId)?.network,
  );
}
