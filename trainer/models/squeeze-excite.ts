/** Squeeze-and-excitation: channels weighed by what the whole image holds. J. Hu et al., CVPR 2018. */
import type { Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { spatialMean } from '../engine/spatial-mean.ts';
import { tf } from '../engine/tf.ts';
import { type Conv, copyConv } from './layers.ts';

/** Two 1x1 convolutions with bias, filters [1, 1, in, out]: to a few channels and back. */
export interface SqueezeExcite<T extends Tensor = Tensor> {
  reduce: Conv<T>;
  expand: Conv<T>;
}

export type Activation = (x: Tensor2D) => Tensor2D;

/** x gate(expand(activation(reduce(mean of x over its pixels)))), shaped like `x`. */
export function squeezeExcite(
  { reduce, expand }: SqueezeExcite<Tensor> | SqueezeExcite<Variable>,
  x: Tensor4D,
  activation: Activation,
  gate: Activation,
): Tensor4D {
  return tf.tidy(() => {
    const squeezed = activation(affine(spatialMean(x), reduce));
    return x.mul(gate(affine(squeezed, expand)).reshape([-1, 1, 1, x.shape[3]]));
  });
}

export function copySqueezeExcite({ reduce, expand }: SqueezeExcite<Variable>): SqueezeExcite {
  return { reduce: copyConv(reduce), expand: copyConv(expand) };
}

/** On one pixel a 1x1 convolution is a matrix product. */
function affine(x: Tensor, { filter, bias }: Conv): Tensor2D {
  const [, , inputs, outputs] = filter.shape as [number, number, number, number];
  return x.matMul(filter.reshape([inputs, outputs])).add(bias) as Tensor2D;
}
