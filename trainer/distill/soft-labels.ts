/** What the ensemble of teachers says about a batch. Teachers are frozen: nothing here is differentiated. */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { tf } from '../engine/tf.ts';

/**
 * One factor per teacher, together 1: numbers where they stay the same for the whole run, a tensor [K] where each step has its
 * own. Null: all teachers count alike.
 */
export type TeacherShares = readonly number[] | Tensor1D | null;

export interface SoftLabelOptions {
  /** Whether the logits are averaged before the softmax or the softmaxes after it. */
  mean: 'probability' | 'logit';
  temperature: number;
  shares: TeacherShares;
}

const MEAL_V2: SoftLabelOptions = { mean: 'probability', temperature: 1, shares: null };

/**
 * The target of the similarity loss, [N, C], rows of sum 1. In MEAL V2 sum_k w_k softmax(t_k / T) with w_k = 1/K and T = 1; of the
 * logits' mean it is softmax(sum_k w_k t_k / T). With all the weight on one teacher both are that teacher's softmax.
 */
export function softLabels(teacherLogits: readonly Tensor2D[], options: Partial<SoftLabelOptions> = {}): Tensor2D {
  const { mean, temperature, shares } = { ...MEAL_V2, ...options };
  return tf.tidy(() =>
    mean === 'logit'
      ? softened(meanOf(teacherLogits, shares), temperature)
      : meanOf(
          teacherLogits.map((logits) => softened(logits, temperature)),
          shares,
        ),
  );
}

/** Mean over teachers of the raw logits, sum_k w_k t_k, [N, C]: what the discriminator sees. */
export function meanLogits(teacherLogits: readonly Tensor2D[], shares: TeacherShares = null): Tensor2D {
  return tf.tidy(() => meanOf(teacherLogits, shares));
}

/** softmax(logits / temperature), row by row. */
export function softened(logits: Tensor2D, temperature: number): Tensor2D {
  return tf.tidy(() => tf.softmax(temperature === 1 ? logits : logits.div(temperature)));
}

/** The weights' shares of 1; null where they are all alike, so that equal weights are computed as none are. */
export function sharesOf(weights: readonly number[]): readonly number[] | null {
  if (weights.every((weight) => weight === weights[0])) return null;
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

function meanOf(tensors: readonly Tensor2D[], shares: TeacherShares): Tensor2D {
  if (tensors.length === 0) throw new RangeError('An ensemble needs at least one teacher.');
  if (shares === null) return tf.addN([...tensors]).div(tensors.length);
  const factors: readonly (number | Tensor)[] = Array.isArray(shares) ? shares : tf.unstack(shares as Tensor1D);
  if (factors.length !== tensors.length)
    throw new RangeError(`${tensors.length} teachers have ${factors.length} weights: give each one.`);
  return tf.addN(tensors.map((tensor, k) => tensor.mul(factors[k]!)));
}
