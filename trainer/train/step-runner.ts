/** Runs a task's steps as a captured graph where that is possible, and op by op where it is not. */
import type { Scalar, Tensor1D } from '@tensorflow/tfjs';
import type { Batch } from '../data/loader.ts';
import type { Precision, Tensors } from '../engine/capture.ts';
import type { GraphCache } from '../engine/graph/cache.ts';
import { normalisePixels, type PackedPixels, uploadPixels } from '../engine/pixels.ts';
import { tf } from '../engine/tf.ts';
import type { LabelRows } from '../labels/record-codec.ts';
import { TEACHERS_PART } from './distillation.ts';
import { GraphOrEager } from './graph-or-eager.ts';
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
  readonly #stagesInputs: boolean;
  readonly #graph: GraphOrEager<StepInputs>;

  /** The task stays the caller's. */
  constructor(task: Task, { precision, cache, stagesInputs, onFallback }: StepRunnerOptions) {
    this.#task = task;
    this.#stagesInputs = stagesInputs;
    const { variables, constants } = task;
    const options = { variables, constants, precision, staged: stagesInputs, cache };
    this.#graph = new GraphOrEager((inputs: StepInputs) => this.#step(inputs), options, onFallback);
  }

  /** True where `run` makes use of the inputs of the step after. */
  get stagesInputs(): boolean {
    return this.#stagesInputs && this.#graph.mayBeGraph;
  }

  /** The tensors of step `step` of the run, 0-based; the caller's. */
  prepare(batch: Batch, learningRate: number, step: number, softLabels?: LabelRows): StepInputs {
    const { pixels, labels, size, teacherPixels } = batch;
    return {
      ...this.#task.inputsAt?.(step, size, softLabels, teacherPixels),
      pixels: uploadPixels(pixels, size),
      labels: tf.tensor1d(labels, 'int32'),
      rate: tf.scalar(learningRate),
    };
  }

  /** One optimiser update. Loss and parts are the caller's. Throws TensorFlow's error, e.g. when memory does not suffice. */
  run(inputs: StepInputs, next: StepInputs | null): StepResult {
    const results = this.#graph.run(inputs, next);
    const { loss, ...parts } = results as Record<string, Scalar>;
    return { loss: loss!, parts };
  }

  /** Milliseconds that the teachers take of the step that `run` was given last, or null where it asks none. Changes nothing. */
  timeTeachers(inputs: StepInputs): number | null {
    return this.#graph.timePart(TEACHERS_PART, inputs);
  }

  /** Brings the task's variables to what the steps have made of them: before anything else looks at them. */
  pull(): void {
    this.#graph.pull();
  }

  dispose(): void {
    this.#graph.dispose();
  }

  #step({ pixels, labels, rate, ...more }: StepInputs): Tensors {
    const { loss, parts } = this.#task.step(normalisePixels(pixels), labels, rate, more);
    return { loss, ...parts };
  }
}
