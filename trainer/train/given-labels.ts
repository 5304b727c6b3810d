/** Distillation steps that are given what the teachers say, instead of asking them. */
import type { Tensor2D } from '@tensorflow/tfjs';
import type { Tensors } from '../engine/capture.ts';
import { tf } from '../engine/tf.ts';
import type { LabelRows } from '../labels/record-codec.ts';
import type { Task } from './task.ts';

/** What the ensemble says of a batch, both [N, C]. */
export interface EnsembleAnswer {
  softLabels: Tensor2D;
  logits: Tensor2D;
}

/** The answer among a step's inputs, or null where it has none. Without logits the soft labels stand there, which nobody looks at. */
export function givenAnswer({ soft_labels: softLabels, mean_logits: logits }: Tensors): EnsembleAnswer | null {
  if (softLabels === undefined) return null;
  return { softLabels: softLabels as Tensor2D, logits: (logits ?? softLabels) as Tensor2D };
}

/** Takes over `task`, a distillation without teachers. With `logits` steps take the ensemble's mean logits too. */
export function withGivenLabels(task: Task, classCount: number, logits: boolean): Task {
  return {
    ...task,
    inputsAt: (step, batchSize, labels = uniformLabels(batchSize, classCount)) => {
      const shape: [number, number] = [batchSize, classCount];
      return {
        ...task.inputsAt?.(step, batchSize),
        soft_labels: tf.tensor2d(labels.probabilities, shape),
        ...(logits && { mean_logits: tf.tensor2d(labels.meanLogits!, shape) }),
      };
    },
  };
}

function uniformLabels(batchSize: number, classCount: number): LabelRows {
  const length = batchSize * classCount;
  return {
    probabilities: new Float32Array(length).fill(1 / classCount),
    meanLogits: new Float32Array(length),
  };
}
