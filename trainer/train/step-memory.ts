/** How much memory a step of a task takes, before it is run with a whole batch. */
import type { Rank, Tensor } from '@tensorflow/tfjs';
import { nativeBackend } from '../engine/backend.ts';
import { CannotCapture } from '../engine/capture.ts';
import { estimatePeakBytes } from '../engine/graph/peak-memory.ts';
import { traceStep } from '../engine/graph/trace.ts';
import { normalisePixels, uploadPixels } from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import type { Task } from './task.ts';

const CHANNELS = 3;
/** The loader holds the bytes of this step's batch and of the next one. */
const LOADED_BATCHES = 2;
/** Largest batch that is looked at itself; above it memory grows evenly with the batch. */
const LARGEST_TRACED = 32;
/** What TensorFlow's kernels take for themselves, as a share of the results that they hold. */
const KERNEL_SHARE = 0.1;

/** What of a task its memory depends on. */
export type Steps = Pick<Task, 'step' | 'inputsAt' | 'variables' | 'constants'>;

/** Bytes that steps with so many images need beyond what is held now. */
export type StepBytes = (batchSize: number) => number;

/**
 * By the recorded graph's shapes, which costs a fraction of a second and next to no memory; where a step cannot be recorded,
 * by running steps with 2 and 4 images, after which the weights are what they were.
 * @param sides of all images that the loader brings of each view, in pixels
 */
export async function estimateStepBytes(
  task: Steps,
  inputSize: number,
  batchSize: number,
  sides: readonly number[] = [inputSize],
): Promise<StepBytes> {
  const upper = Math.min(batchSize, LARGEST_TRACED);
  const lower = Math.max(2, Math.floor(upper / 2));
  try {
    return line(
      sides,
      [lower, traceStepBytes(task, inputSize, lower)],
      [upper, traceStepBytes(task, inputSize, upper)],
    );
  } catch (error) {
    if (!(error instanceof CannotCapture)) throw error;
  }
  return line(sides, [2, await measureStepBytes(task, inputSize, 2)], [4, await measureStepBytes(task, inputSize, 4)]);
}

function line(sides: readonly number[], [x0, y0]: [number, number], [x1, y1]: [number, number]): StepBytes {
  const perImage = x1 === x0 ? 0 : Math.max(0, y1 - y0) / (x1 - x0);
  const loaded = LOADED_BATCHES * CHANNELS * sides.reduce((sum, side) => sum + side ** 2, 0);
  return (batchSize) => y1 + (batchSize - x1) * perImage + batchSize * loaded;
}

/** Throws CannotCapture. */
function traceStepBytes(task: Steps, inputSize: number, batchSize: number): number {
  const native = nativeBackend();
  if (native === null) throw new CannotCapture('backend', 'plain TensorFlow.js has no graphs');
  const { variables, constants } = task;
  const pixels = new Uint8Array(batchSize * inputSize ** 2 * CHANNELS);
  const more = task.inputsAt?.(0, batchSize) ?? {};
  const inputs: Record<string, Tensor> = {
    ...more,
    pixels: uploadPixels(pixels, batchSize),
    labels: tf.zeros([batchSize], 'int32'),
    rate: tf.scalar(0),
  };
  const step = () => {
    const { loss, parts } = task.step(
      normalisePixels(inputs.pixels as never),
      inputs.labels as never,
      inputs.rate as never,
      more,
    );
    return { loss, ...parts };
  };
  try {
    const { graph, outputNames } = traceStep(native, step, inputs, variables, constants);
    const outputs = outputNames.map((name) => `output/${name}`);
    // The session has weights of its own, and while they are handed over once more.
    const weights = 2 * [...variables, ...constants].reduce((sum, { size }) => sum + 4 * size, 0);
    const given = pixels.length + Object.values(more).reduce((sum, { size }) => sum + 4 * size, 0);
    return estimatePeakBytes(graph, outputs) * (1 + KERNEL_SHARE) + weights + given;
  } finally {
    tf.dispose(inputs);
  }
}

/** Not for steps that may throw: TensorFlow.js loses a kernel's error while it is measured. */
export async function measureStepBytes(task: Steps, inputSize: number, batchSize: number): Promise<number> {
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(() => {
    tryStep(task, inputSize, batchSize);
    return {};
  });
  return Math.max(0, peakBytes - before);
}

/** One step on made-up images, whose changes are taken back. Throws what TensorFlow throws. */
export function tryStep(task: Steps, inputSize: number, batchSize: number): void {
  const held = task.variables.map((variable) => variable.clone());
  try {
    tf.tidy(() => {
      const images = tf.zeros<Rank.R4>([batchSize, inputSize, inputSize, CHANNELS]);
      const labels = tf.zeros<Rank.R1>([batchSize], 'int32');
      const { loss } = task.step(images, labels, tf.scalar(0), task.inputsAt?.(0, batchSize) ?? {});
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
