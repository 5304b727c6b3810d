/** Batches that do not fit into memory: refused before the first step where that can be known, explained where it cannot. */
import type { RunConfig } from '@mealtable/protocol/run-config';
import type { Rank } from '@tensorflow/tfjs';
import { tf } from '../engine/tf.ts';
import { findOutOfMemory, RunFailure } from './run-failure.ts';
import type { Task } from './task.ts';

/** The loader holds the bytes of this step's batch and of the next one. */
const LOADED_BATCHES = 2;
const CHANNELS = 3;
const SMALLEST_BATCH = 2;
/** Steps with this share of the memory left are not worth a second measurement. */
const CLEARLY_ENOUGH = 4;

export type BatchShape = Pick<RunConfig, 'batchSize' | 'inputSize'>;

/**
 * Measures the memory of steps with 2 and 4 images, draws the line through both up to the whole batch, and compares it with
 * what is free: a host without memory kills the process before TensorFlow could say anything. The weights are afterwards
 * what they were, to the bit.
 * @param freeBytes null where it is not known; then nothing is measured
 * @throws {RunFailure} out_of_memory with the batch size that would fit
 */
export async function requireFit(task: Task, shape: BatchShape, freeBytes: number | null): Promise<void> {
  const { batchSize } = shape;
  if (freeBytes === null || batchSize <= 2 * SMALLEST_BATCH) return;
  const two = await measureStep(task, shape, 2);
  // Memory grows no faster than the batch, so this is more than the step will take.
  if (((two * batchSize) / 2) * CLEARLY_ENOUGH < freeBytes) return;
  const four = await measureStep(task, shape, 4);
  const perImage = Math.max(0, four - two) / 2;
  const needed = (size: number) => two + (size - 2) * perImage;
  if (needed(batchSize) <= freeBytes) return;
  const fitting = halves(batchSize).find((size) => needed(size) <= freeBytes) ?? null;
  const need = `it needs about ${gigabytes(needed(batchSize))}`;
  throw outOfMemory(shape, fitting, `the ${gigabytes(freeBytes)} that are free on this host: ${need}`);
}

/**
 * Turns TensorFlow's error about memory into the failure that names the batch size that would fit, found by trying: half of
 * it, a quarter and so on, until a step runs. Any other error is given back as it is.
 * @param memory into what it did not fit, e.g. "the 80.0 GB of this GPU"
 */
export function explainOutOfMemory(error: unknown, task: Task, shape: BatchShape, memory: string): unknown {
  const cause = findOutOfMemory(error);
  if (cause === null) return error;
  for (const size of halves(shape.batchSize)) {
    try {
      tryStep(task, shape, size);
      return outOfMemory(shape, size, memory, cause);
    } catch (again) {
      if (findOutOfMemory(again) === null) return error;
    }
  }
  return outOfMemory(shape, null, memory, cause);
}

function outOfMemory({ batchSize, inputSize }: BatchShape, fitting: number | null, memory: string, cause?: Error) {
  const advice =
    fitting === null
      ? `Not even ${SMALLEST_BATCH} would fit: use a smaller input size or network.`
      : `A batch of ${fitting} would fit.`;
  const message = `A batch of ${batchSize} images at ${inputSize} pixels does not fit into ${memory}. ${advice}`;
  return new RunFailure('out_of_memory', message, { cause });
}

/** Half of it, a quarter and so on, as long as batch norm has something to do. */
function halves(batchSize: number): number[] {
  const sizes: number[] = [];
  for (let size = Math.floor(batchSize / 2); size >= SMALLEST_BATCH; size = Math.floor(size / 2)) sizes.push(size);
  return sizes;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/**
 * Runs one step on made-up images and takes back what it changed. Not for steps that may throw: TensorFlow.js loses a
 * kernel's error while it is measured.
 * @returns bytes that it takes beyond what is held now, its batches in the loader included
 */
export async function measureStep(task: Task, shape: BatchShape, batchSize: number): Promise<number> {
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(() => {
    tryStep(task, shape, batchSize);
    return {};
  });
  const loaded = LOADED_BATCHES * batchSize * shape.inputSize ** 2 * CHANNELS;
  return Math.max(0, peakBytes - before) + loaded;
}

/** One step on made-up images, whose changes are taken back. */
function tryStep(task: Task, { inputSize }: BatchShape, batchSize: number): void {
  const held = task.variables.map((variable) => variable.clone());
  try {
    tf.tidy(() => {
      const images = tf.zeros<Rank.R4>([batchSize, inputSize, inputSize, CHANNELS]);
      const { loss } = task.step(images, tf.zeros<Rank.R1>([batchSize], 'int32'), tf.scalar(0));
      // Devices work behind the program: only who asks for the result hears of what went wrong.
      loss.dataSync();
    });
  } finally {
    for (const [i, variable] of task.variables.entries()) {
      variable.assign(held[i]!);
      held[i]!.dispose();
    }
  }
}
