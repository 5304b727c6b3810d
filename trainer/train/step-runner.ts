/** Runs a task's steps as a captured graph where that is possible, and op by op where it is not. */
import type { Scalar, Tensor1D } from '@tensorflow/tfjs';
import type { Batch } from '../data/loader.ts';
import { nativeBackend } from '../engine/backend.ts';
import { CannotCapture, type CapturedStep, capture, type Precision, type Tensors } from '../engine/capture.ts';
import type { GraphCache } from '../engine/graph/cache.ts';
import { normalisePixels, type PackedPixels, uploadPixels } from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import type { LabelRows } from '../labels/record-codec.ts';
import { findOutOfMemory } from './run-failure.ts';
import type { StepResult, Task } from './task.ts';

/** What one step is given, with whatever its task wants besides. */
export interface StepInputs extends Tensors {
  pixels: PackedPixels;
  labels: Tensor1D;
  rate: Scalar;
}

export interface StepRunnerOptions {
  precision: Precision;
  cache: GraphCache | null;
  /** Whether inputs lie elsewhere than the computation: then those of the next step are brought while one computes. */
  stagesInputs: boolean;
  /** Hears why steps run op by op, when they do and could be expected not to. */
  onFallback(reason: string): void;
}

export class StepRunner {
  readonly #task: Task;
  readonly #options: StepRunnerOptions;
  /** Undefined before the first step, null when steps run op by op. */
  #captured: CapturedStep<StepInputs, Tensors> | null | undefined;

  /** The task stays the caller's. */
  constructor(task: Task, options: StepRunnerOptions) {
    this.#task = task;
    this.#options = options;
  }

  /** True where `run` makes use of the inputs of the step after. */
  get stagesInputs(): boolean {
    return this.#options.stagesInputs && this.#captured !== null;
  }

  /** The tensors of step `step` of the run, 0-based; the caller's. */
  prepare({ pixels, labels, size }: Batch, learningRate: number, step: number, softLabels?: LabelRows): StepInputs {
    return {
      ...this.#task.inputsAt?.(step, size, softLabels),
      pixels: uploadPixels(pixels, size),
      labels: tf.tensor1d(labels, 'int32'),
      rate: tf.scalar(learningRate),
    };
  }

  /** One optimiser update. Loss and parts are the caller's. Throws TensorFlow's error, e.g. when memory does not suffice. */
  run(inputs: StepInputs, next: StepInputs | null): StepResult {
    if (this.#captured === undefined) this.#captured = nativeBackend() === null ? null : this.#capture(inputs);
    const results =
      this.#captured === null
        ? (tf.tidy(() => this.#step(inputs) as never) as Tensors)
        : this.#captured.run(inputs, next);
    const { loss, ...parts } = results as Record<string, Scalar>;
    return { loss: loss!, parts };
  }

  /** Brings the task's variables to what the steps have made of them: before anything else looks at them. */
  pull(): void {
    this.#captured?.pull();
  }

  dispose(): void {
    this.#captured?.dispose();
  }

  #step({ pixels, labels, rate, ...more }: StepInputs): Tensors {
    const { loss, parts } = this.#task.step(normalisePixels(pixels), labels, rate, more);
    return { loss, ...parts };
  }

  #capture(inputs: StepInputs): CapturedStep<StepInputs, Tensors> | null {
    const { variables, constants } = this.#task;
    const { precision, cache, onFallback, stagesInputs: staged } = this.#options;
    try {
      return capture((given: StepInputs) => this.#step(given), {
        inputs,
        variables,
        constants,
        precision,
        staged,
        cache,
      });
    } catch (error) {
      if (!(error instanceof CannotCapture) || findOutOfMemory(error) !== null) throw error;
      onFallback(error.message);
      return null;
    }
  }
}
