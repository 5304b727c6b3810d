/** Layers with PyTorch's geometry on TensorFlow's kernels. */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import type { BatchStatistics } from '../engine/batch-norm.ts';
import { batchNormEval, batchNormTrack } from '../engine/batch-norm.ts';
import { biasAdd } from '../engine/bias-add.ts';
import { maxPool3x3 } from '../engine/max-pool.ts';
import { relu } from '../engine/relu.ts';
import { spatialMean } from '../engine/spatial-mean.ts';
import { tf } from '../engine/tf.ts';

/** One kind of convolution at a given stride and padding: NHWC images, then a filter. */
export type Convolve = (x: Tensor4D, filter: Tensor4D) => Tensor4D;

/** A convolution and the batch norm behind it. */
export interface ConvNorm {
  /** Differentiable. */
  convolve: Convolve;
  /** The same for evaluation and frozen networks, which need no gradients: often faster. */
  predict: Convolve;
  layout: 'conv' | 'depthwise';
  /** [h, w, in / groups, out], or [h, w, channels, 1] where `layout` is depthwise. */
  filter: Variable;
  gamma: Variable;
  beta: Variable;
  running: BatchStatistics<Variable>;
  epsilon: number;
}

/** A convolution with a bias. */
export interface Conv<T extends Tensor = Tensor> {
  convolve: Convolve;
  filter: T;
  bias: T;
}

/** Weight [in, out] and bias [out]. */
export interface Dense<T extends Tensor = Tensor> {
  weight: T;
  bias: T;
}

/** In training normalises by the batch and moves the running statistics, otherwise normalises by the running ones. */
export function applyConvNorm(layer: ConvNorm, x: Tensor4D, training: boolean): Tensor4D {
  const gamma = layer.gamma as unknown as Tensor1D;
  const beta = layer.beta as unknown as Tensor1D;
  const filter = layer.filter as unknown as Tensor4D;
  return training
    ? batchNormTrack(layer.convolve(x, filter), gamma, beta, layer.running, layer.epsilon)
    : batchNormEval(layer.predict(x, filter), gamma, beta, layer.running, layer.epsilon);
}

/** gamma (conv(x) - mean) / sqrt(variance + eps) + beta as conv'(x) + bias'. The caller owns the two tensors. */
export function foldConvNorm({ predict, layout, filter, gamma, beta, running, epsilon }: ConvNorm): Conv {
  const tensors = tf.tidy(() => {
    const scale = gamma.mul(running.variance.add(epsilon).rsqrt());
    return {
      filter: filter.mul(layout === 'depthwise' ? scale.expandDims(1) : scale),
      bias: beta.sub(running.mean.mul(scale)),
    };
  });
  return { ...tensors, convolve: predict };
}

export function applyConv({ convolve, filter, bias }: Conv, x: Tensor4D): Tensor4D {
  return biasAdd(convolve(x, filter as Tensor4D), bias as Tensor1D);
}

/** Copies that do not follow later training; the caller owns them. */
export function copyConv({ convolve, filter, bias }: Conv): Conv {
  return { convolve, filter: filter.clone(), bias: bias.clone() };
}

export function copyDense({ weight, bias }: Dense): Dense {
  return { weight: weight.clone(), bias: bias.clone() };
}

/**
 * Convolution padded by (size - 1) / 2 on every side, as PyTorch's ResNets are. TensorFlow's 'same' pads only bottom and right
 * where a stride of 2 meets an even size, so those are padded by hand; everywhere else the two agree and the extra op is saved.
 * (Numeric padding has no filter gradient in tfjs-node.)
 */
export function convolve(x: Tensor4D, filter: Tensor4D, stride: 1 | 2): Tensor4D {
  const size = filter.shape[0];
  if (size === 1) return tf.conv2d(x, filter, stride, 'valid');
  const [, height, width] = x.shape;
  if (stride === 1 || (height % 2 === 1 && width % 2 === 1)) return tf.conv2d(x, filter, stride, 'same');
  return tf.conv2d(padEvenly(x, (size - 1) / 2), filter, stride, 'valid');
}

/**
 * The stem's ReLU and its max pooling (3x3, stride 2, padding 1). ReLU is monotonic, so it may follow the pooling, where it has
 * a quarter of the pixels; then zeros serve as padding although PyTorch pads with minus infinity.
 */
export function activateAndPool(x: Tensor4D): Tensor4D {
  return relu(maxPool3x3(padEvenly(x, 1)));
}

/** Global average pooling and the classifier: [N, H, W, C] to [N, classes]. */
export function classify(x: Tensor4D, { weight, bias }: Dense): Tensor2D {
  return spatialMean(x).matMul(weight).add(bias) as Tensor2D;
}

function padEvenly(x: Tensor4D, margin: number): Tensor4D {
  return tf.pad4d(x, [
    [0, 0],
    [margin, margin],
    [margin, margin],
    [0, 0],
  ]);
}
