/** What one step of a run computes. The training loop knows nothing of losses: it logs whatever parts come back. */
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import type { Tensors } from '../engine/capture.ts';
import { tf } from '../engine/tf.ts';
import type { LabelRows } from '../labels/record-codec.ts';
import type { Network } from '../models/network.ts';
import type { StateDict } from '../weights/state-dict.ts';

export interface StepResult {
  loss: Scalar;
  /** More numbers to log, by metric name without `train/`. */
  parts: Record<string, Scalar>;
}

export interface Task {
  /** The network that is trained. */
  readonly network: Network;
  /** Moving averages of its weights, where the task keeps them: they are validated and saved in its place. */
  readonly averaged?: Network;
  /**
   * What step `step` of the run, 0-based, takes besides, e.g. which teacher it learns from: names, shapes and types are the same
   * for all steps with so many images. The tensors are the caller's. Absent: nothing.
   * @param labels the batch's soft labels, for a task that is given them; made up where there is no batch yet
   * @param teacherPixels the batch's, for a task whose teachers see images of their own; likewise
   */
  inputsAt?(step: number, batchSize: number, labels?: LabelRows, teacherPixels?: Uint8Array): Tensors;
  /**
   * One optimiser update on images [N, S, S, 3] with hard labels [N] (int32) at a learning rate, `more` being what `inputsAt`
   * gives. Loss and parts are those before the update; they are the caller's, everything else is disposed of.
   */
  step(images: Tensor4D, labels: Tensor1D, learningRate: Scalar, more: Tensors): StepResult;
  /** Everything that `step` reads or assigns and that outlives it. */
  readonly variables: readonly Variable[];
  /** Frozen weights that `step` reads. */
  readonly constants: readonly Tensor[];
  /** What resuming needs besides the network's weights: optimiser state and other trained weights, by stable names. */
  toState(): Promise<StateDict>;
  /** Throws one Error naming what does not fit. */
  loadState(state: StateDict): void;
  /** Frees the network, the teachers and the optimiser. */
  dispose(): void;
}

/** Share of rows whose largest logit is the label's, in percent. */
export function top1Percent(logits: Tensor2D, labels: Tensor1D): Scalar {
  return tf.tidy(() => logits.argMax(1).equal(labels).mean().mul(100) as Scalar);
}

/** The entries, each key with `prefix` in front. */
export function withPrefix<V>(prefix: string, entries: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...entries].map(([key, value]) => [prefix + key, value]));
}

/** The entries whose keys begin with `prefix`, without it. */
export function takePrefix<V>(prefix: string, entries: ReadonlyMap<string, V>): Map<string, V> {
  return new Map(
    [...entries].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
