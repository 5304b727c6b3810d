/** A task's steps, eager and captured, on the same images. */
import type { Scalar, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs';
import { type CapturedStep, type CaptureOptions, capture } from '../../trainer/engine/capture.ts';
import { tf } from '../../trainer/engine/tf.ts';
import type { Task } from '../../trainer/train/task.ts';
import { hashedImages } from './hashed-weights.ts';

export interface StepInputs extends Record<string, Tensor> {
  images: Tensor4D;
  labels: Tensor1D;
  rate: Scalar;
}

/** Images of hashed numbers, class numbers that go round, one learning rate; the caller's. */
export function makeInputs(batch: number, size: number, classes: number, rate: number): StepInputs {
  return {
    images: tf.tensor4d(hashedImages(batch, size), [batch, size, size, 3]),
    labels: tf.tensor1d(
      Int32Array.from({ length: batch }, (_, i) => i % classes),
      'int32',
    ),
    rate: tf.scalar(rate),
  };
}

/** The task's step as a function of its inputs alone. */
export const stepOf =
  (task: Task) =>
  ({ images, labels, rate, ...more }: StepInputs): Record<string, Tensor> => {
    const { loss, parts } = task.step(images, labels, rate, more);
    return { loss, ...parts };
  };

export function captureTask(
  task: Task,
  inputs: StepInputs,
  options: Partial<CaptureOptions<StepInputs>> = {},
): CapturedStep<StepInputs, Record<string, Tensor>> {
  return capture(stepOf(task), { inputs, variables: task.variables, constants: task.constants, ...options });
}

/** The numbers of `count` steps, by name. */
export function play(run: (inputs: StepInputs) => Record<string, Tensor>, inputs: StepInputs, count: number) {
  return Array.from({ length: count }, () => {
    const results = tf.tidy(() => run(inputs) as never) as Record<string, Tensor>;
    const numbers = Object.fromEntries(Object.entries(results).map(([name, value]) => [name, value.dataSync()[0]!]));
    tf.dispose(results);
    return numbers;
  });
}

/** Every variable's numbers. */
export const numbersOf = (task: Task): Float32Array[] =>
  task.variables.map((variable) => variable.dataSync().slice() as Float32Array);

/**
 * Largest difference over all variables, relative to the largest number of the variable. Below 1e-3 that is rounding and nothing
 * else: a bias in front of a batch norm, whose gradient is 0 in exact arithmetic.
 */
export function relativeDifference(actual: Float32Array[], expected: Float32Array[]): number {
  return Math.max(
    ...expected.map((wanted, k) => {
      const scale = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
      return wanted.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[k]![i]!)), 0) / scale;
    }),
  );
}
