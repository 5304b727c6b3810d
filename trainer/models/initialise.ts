/** Initial weights as PyTorch and timm draw them (the distributions, not PyTorch's own random numbers). */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';

/**
 * Kaiming normal, fan-out, for a ReLU network: N(0, 2 / (out * height * width)). K. He et al., "Delving deep into
 * rectifiers", ICCV 2015. Shape HWIO.
 */
export function kaimingNormalFanOut(shape: [number, number, number, number], rng: Rng): Tensor4D {
  const [height, width, inputs, outputs] = shape;
  const deviation = Math.sqrt(2 / (outputs * height * width));
  const values = new Float32Array(height * width * inputs * outputs);
  rng.fillNormal(values, deviation);
  return tf.tensor4d(values, shape);
}

/** `torch.nn.Linear`'s default: weight [in, out] and bias [out] uniform in +-1/sqrt(in). */
export function linearDefault(inputs: number, outputs: number, rng: Rng): { weight: Tensor2D; bias: Tensor1D } {
  const bound = 1 / Math.sqrt(inputs);
  const weight = uniformWithin(bound, [inputs, outputs], rng) as Tensor2D;
  return { weight, bias: uniformWithin(bound, [outputs], rng) as Tensor1D };
}

/** Uniform in +-`bound`. */
export function uniformWithin(bound: number, shape: number[], rng: Rng): Tensor {
  const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
  rng.fillUniform(values, -bound, bound);
  return tf.tensor(values, shape, 'float32');
}
