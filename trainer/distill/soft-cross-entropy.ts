/** The similarity loss of MEAL V2 and its hard-label relative. */
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { tf } from '../engine/tf.ts';

/**
 * -(1/N) sum_i sum_c q[i,c] log softmax(s)[i,c], a scalar. The reference calls it KL; it is the cross-entropy, which differs
 * by the teachers' entropy and so has the same gradient, (softmax(s) - q) / N. `softLabels` [N, C] is a constant: rows sum
 * to 1 and no gradient flows into it. Source: Z. Shen, M. Savvides, "MEAL V2", arXiv 2009.08453.
 */
export function softCrossEntropy(studentLogits: Tensor2D, softLabels: Tensor2D): Scalar {
  const op = tf.customGrad((...args) => {
    const [logits, save] = args as unknown as [Tensor2D, (tensors: Tensor[]) => void];
    const logProbabilities = tf.logSoftmax(logits);
    save([logProbabilities, softLabels]);
    const value = logProbabilities.mul(softLabels).sum().div(-logits.shape[0]) as Scalar;
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor => {
      const [logProbabilities, target] = saved as [Tensor2D, Tensor2D];
      return logProbabilities.exp().sub(target).mul(dy.div(logits.shape[0]));
    };
    return { value, gradFunc };
  });
  return op(studentLogits) as Scalar;
}

/** Cross-entropy with class numbers `labels` (int32 [N]), the mean over the batch. */
export function hardCrossEntropy(logits: Tensor2D, labels: Tensor1D): Scalar {
  return tf.tidy(() => softCrossEntropy(logits, tf.oneHot(labels, logits.shape[1]) as Tensor2D));
}
