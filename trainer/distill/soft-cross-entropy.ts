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

/**
 * T^2 times the soft cross-entropy of s / T, for soft labels made at the same temperature T; gradient T (softmax(s / T) - q) / N.
 * The factor T^2 makes up for gradients that shrink with 1 / T^2, so that the learning rate may stay. Source: G. Hinton,
 * O. Vinyals, J. Dean, "Distilling the knowledge in a neural network", arXiv 1503.02531, section 2.
 */
export function similarityLoss(studentLogits: Tensor2D, softLabels: Tensor2D, temperature = 1): Scalar {
  if (temperature === 1) return softCrossEntropy(studentLogits, softLabels);
  return tf.tidy(() => softCrossEntropy(studentLogits.div(temperature), softLabels).mul(temperature ** 2) as Scalar);
}

/**
 * Cross-entropy with class numbers `labels` (int32 [N]), the mean over the batch. With smoothing e the target is
 * (1 - e) one-hot + e / C, as in `torch.nn.CrossEntropyLoss`.
 */
export function hardCrossEntropy(logits: Tensor2D, labels: Tensor1D, smoothing = 0): Scalar {
  return tf.tidy(() => {
    const classes = logits.shape[1];
    const oneHot = tf.oneHot(labels, classes) as Tensor2D;
    return softCrossEntropy(logits, smoothing === 0 ? oneHot : oneHot.mul(1 - smoothing).add(smoothing / classes));
  });
}
