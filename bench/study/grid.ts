/** The study that is measured: {T1, T2, T1 + T2} x {discriminator off, on} x {two sizes} on the digits. */
import { join } from 'node:path';
import type { DistillationConfig, TrainingConfig } from '@mealtable/protocol/run-config';
import { runId } from '../../test/support/trainer-process.ts';

/** They cost a small student about what MEAL V2's teachers cost its small students: several of its steps each. */
export const TEACHERS = [
  { id: runId(1), network: 'resnet34' },
  { id: runId(2), network: 'resnet50' },
] as const;
export const DATASET = join(import.meta.dirname, '../../trainer/datasets/digits');
const STUDENT = 'resnet18_w8';
const SIZES = [28, 30] as const;
/** By their places among TEACHERS. */
const ENSEMBLES = [[0], [1], [0, 1]];
const BATCH_SIZE = 32;

export interface Cell {
  /** Places among TEACHERS. */
  ensemble: readonly number[];
  discriminator: boolean;
  inputSize: number;
}

export const CELLS: readonly Cell[] = SIZES.flatMap((inputSize) =>
  ENSEMBLES.flatMap((ensemble) => [false, true].map((discriminator) => ({ ensemble, discriminator, inputSize }))),
);

/** Where a run's soft labels come from: its teachers in every step, or one of two caches, with so many crops of each image. */
export type Source = 'online' | { viewsPerImage: number; augmentationSeed: 0 | 1 };

const common = { version: 1, dataset: 'digits', batchSize: BATCH_SIZE, precision: 'float32' } as const;

function optimizerOf(learningRate: number, epochs: number): TrainingConfig['optimizer'] {
  const schedule = { kind: 'cosine', warmupEpochs: Math.min(1, epochs - 1) } as const;
  return { learningRate, momentum: 0.9, weightDecay: 0, schedule };
}

export function teacherConfig(network: (typeof TEACHERS)[number]['network'], epochs: number): TrainingConfig {
  return {
    ...common,
    task: 'classification',
    network,
    initialisation: { kind: 'random' },
    inputSize: SIZES[0],
    seed: 1,
    epochs,
    // Wide networks: a lower rate than the student's.
    optimizer: optimizerOf(0.05, epochs),
  };
}

/** With the augmentation seed 0, seed 0's crops are the same online as cached with a view for every epoch. */
export function studentConfig(cell: Cell, seed: number, epochs: number, source: Source): DistillationConfig {
  const { ensemble, discriminator, inputSize } = cell;
  return {
    ...common,
    task: 'distillation',
    network: STUDENT,
    initialisation: { kind: 'random' },
    optimizer: optimizerOf(0.1, epochs),
    inputSize,
    seed,
    epochs,
    discriminator,
    teachers: ensemble.map((t) => ({ kind: 'run', runId: TEACHERS[t]!.id })),
    softLabels: source === 'online' ? { mode: 'online' } : { mode: 'cached', ...source, keep: 'full', logits: true },
  };
}

export function nameOf({ ensemble, discriminator, inputSize }: Cell): string {
  const teachers = ensemble.map((t) => `T${t + 1}`).join(' + ');
  return `${teachers}, discriminator ${discriminator ? 'on' : 'off'}, ${inputSize} pixels`;
}
