/** Layers with PyTorch's geometry on TensorFlow's kernels. */
import type { Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import type { BatchStatistics } from '../engine/batch-norm.ts';
import { batchNormEval, batchNormTrack } from '../engine/batch-norm.ts';
import { maxPool3x3 } from '../engine/max-pool.ts';
import { relu } from '../engine/relu.ts';
import { tf } from '../engine/tf.ts';

const BATCH_NORM_EPSILON = 1e-5;

export interface BatchNorm {
  gamma: Variable;
  beta: Variable;
  running: BatchStatistics<Variable>;
}

/**
 * Convolution of NHWC `x` with HWIO `filter` (odd and square), padded by (size - 1) / 2 on every side as PyTorch's ResNets
 * are. TensorFlow's 'same' pads only bottom and right where a stride of 2 meets an even size, so those are padded by hand;
 * everywhere else the two agree and the extra op is saved. Numeric padding has no filter gradient in tfjs-node.
 */
export function convolve(x: Tensor4D, filter: Variable, stride: 1 | 2): Tensor4D {
  const size = filter.shape[0]!;
  const weights = filter as unknown as Tensor4D;
  if (size === 1) return tf.conv2d(x, weights, stride, 'valid');
  const [, height, width] = x.shape;
  if (stride === 1 || (height % 2 === 1 && width % 2 === 1)) return tf.conv2d(x, weights, stride, 'same');
  return tf.conv2d(padEvenly(x, (size - 1) / 2), weights, stride, 'valid');
}

/**
 * The stem's ReLU and its max pooling (3x3, stride 2, padding 1). ReLU is monotonic, so it may follow the pooling, where it has
 * a quarter of the pixels; then zeros serve as padding although PyTorch pads with minus infinity.
 */
export function activateAndPool(x: Tensor4D): Tensor4D {
  return relu(maxPool3x3(padEvenly(x, 1)));
}

function padEvenly(x: Tensor4D, margin: number): Tensor4D {
  return tf.pad4d(x, [
    [0, 0],
    [margin, margin],
    [margin, margin],
    [0, 0],
  ]);
}

/** In training normalises by the batch and moves the running statistics, otherwise normalises by the running ones. */
export function normalise(x: Tensor4D, { gamma, beta, running }: BatchNorm, training: boolean): Tensor4D {
  return training
    ? batchNormTrack(x, gamma as never, beta as never, running, BATCH_NORM_EPSILON)
    : batchNormEval(x, gamma as never, beta as never, running, BATCH_NORM_EPSILON);
}

/** Global average pooling and the classifier: [N, H, W, C] to [N, classes]. */
export function classify(x: Tensor4D, weight: Variable, bias: Variable): Tensor2D {
  return tf.mean(x, [1, 2]).matMul(weight).add(bias) as Tensor2D;
}
