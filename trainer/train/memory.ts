/** Batches that do not fit into memory: refused before the first step where that can be known, explained where it cannot. */
import type { TrainingConfig } from '@mealtable/protocol/run-config';
import { findOutOfMemory, RunFailure } from './run-failure.ts';
import { estimateStepBytes, type Steps, tryStep } from './step-memory.ts';
import type { Task } from './task.ts';

const SMALLEST_BATCH = 2;

export interface BatchShape extends Pick<TrainingConfig, 'batchSize' | 'inputSize'> {
  /** Of images that the loader brings for the teachers besides. */
  teacherInputSize?: number | undefined;
}

/**
 * Compares what a step with the whole batch would take with what is free: a host without memory kills the process before
 * TensorFlow could say anything.
 * @param freeBytes null where it is not known; then nothing is looked at
 * @throws {RunFailure} out_of_memory with the batch size that would fit
 */
export async function requireFit(task: Steps, shape: BatchShape, freeBytes: number | null): Promise<void> {
  if (freeBytes === null) return;
  const { batchSize, inputSize, teacherInputSize } = shape;
  const sides = teacherInputSize === undefined ? [inputSize] : [inputSize, teacherInputSize];
  const needed = await estimateStepBytes(task, inputSize, batchSize, sides);
  if (needed(batchSize) <= freeBytes) return;
  const fitting = halves(batchSize).find((size) => needed(size) <= freeBytes) ?? null;
  const need = `it needs about ${gigabytes(needed(batchSize))}`;
  throw outOfMemory(shape, fitting, `the ${gigabytes(freeBytes)} that are free on this host: ${need}`);
}

/** As `requireFit`, for what can be done without. */
export async function fits(task: Steps, shape: BatchShape, freeBytes: number | null): Promise<boolean> {
  if (freeBytes === null) return true;
  const { batchSize, inputSize } = shape;
  return (await estimateStepBytes(task, inputSize, batchSize, [inputSize]))(batchSize) <= freeBytes;
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
      tryStep(task, shape.inputSize, size);
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
