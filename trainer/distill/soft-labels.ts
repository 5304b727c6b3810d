/** What the ensemble of teachers says about a batch. Teachers are frozen: nothing here is differentiated. */
import type { Tensor2D } from '@tensorflow/tfjs';
import { tf } from '../engine/tf.ts';

/** Mean over teachers of softmax(logits), [N, C]: the target of the similarity loss. Temperature 1, equal weights. */
export function softLabels(teacherLogits: readonly Tensor2D[]): Tensor2D {
  return tf.tidy(() => meanOf(teacherLogits.map((logits) => tf.softmax(logits))));
}

/** Mean over teachers of the raw logits, [N, C]: what the discriminator sees. */
export function meanLogits(teacherLogits: readonly Tensor2D[]): Tensor2D {
  return tf.tidy(() => meanOf(teacherLogits));
}

function meanOf(tensors: readonly Tensor2D[]): Tensor2D {
  if (tensors.length === 0) throw new RangeError('An ensemble needs at least one teacher.');
  return tf.addN([...tensors]).div(tensors.length);
}
