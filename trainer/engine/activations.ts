/**
 * The activations of the mobile networks, any shape, with their gradients. tfjs composes them from up to a dozen elementwise
 * ops, each a pass over memory; the native paths need half of those.
 */
import type { Tensor } from '@tensorflow/tfjs';
import type { NativeBackend } from './backend.ts';
import { float32Attribute, nativeBackend } from './backend.ts';
import { relu } from './relu.ts';
import { tf } from './tf.ts';

export type Activation = 'relu' | 'swish' | 'hard-swish';

export function activate<T extends Tensor>(activation: Activation, x: T): T {
  if (activation === 'relu') return relu(x);
  return activation === 'swish' ? swish(x) : hardSwish(x);
}

/** x sigmoid(x), also called SiLU. P. Ramachandran et al., "Searching for activation functions", 2017. */
export function swish<T extends Tensor>(x: T): T {
  const native = nativeBackend();
  if (native === null) return tf.tidy(() => x.mul(tf.sigmoid(x)));
  const { run, mul } = ops(native);
  return withGradient(x, (x) => {
    const gate = run('Sigmoid', x);
    return {
      value: mul(x, gate),
      saved: [x, gate],
      // (x s)' = s + x s', and SigmoidGrad(s, dy) = dy s (1 - s).
      gradient: (dy, [x, gate]) => run('AddV2', mul(dy, gate!), mul(x!, run('SigmoidGrad', gate!, dy))),
    };
  });
}

/** x relu6(x + 3) / 6. A. Howard et al., "Searching for MobileNetV3", ICCV 2019. */
export function hardSwish<T extends Tensor>(x: T): T {
  const native = nativeBackend();
  if (native === null) return tf.tidy(() => x.mul(hardSigmoid(x)));
  const { run, mul } = ops(native);
  return withGradient(x, (x) => {
    const gate = run('Relu6', run('AddV2', x, tf.scalar(3)));
    return {
      value: mul(mul(x, gate), tf.scalar(1 / 6)),
      saved: [x, gate],
      // With r = relu6(x + 3): (x r / 6)' = (r + x r') / 6, and Relu6Grad(v, r) = v where 0 < r < 6.
      gradient: (dy, [x, gate]) =>
        mul(run('AddV2', mul(dy, gate!), run('Relu6Grad', mul(dy, x!), gate!)), tf.scalar(1 / 6)),
    };
  });
}

/** relu6(x + 3) / 6: a sigmoid of straight lines. */
export function hardSigmoid<T extends Tensor>(x: T): T {
  const native = nativeBackend();
  if (native === null) return tf.tidy(() => tf.relu6(x.add(3)).mul(1 / 6)) as T;
  const { run, mul } = ops(native);
  return withGradient(x, (x) => {
    const shifted = run('Relu6', run('AddV2', x, tf.scalar(3)));
    return {
      value: mul(shifted, tf.scalar(1 / 6)),
      saved: [shifted],
      gradient: (dy, [shifted]) => mul(run('Relu6Grad', dy, shifted!), tf.scalar(1 / 6)),
    };
  });
}

interface Differentiable {
  value: Tensor;
  /** What `gradient` will be given again; the only tensors that outlive the forward pass. */
  saved: Tensor[];
  gradient: (dy: Tensor, saved: Tensor[]) => Tensor;
}

function withGradient<T extends Tensor>(x: T, forward: (x: Tensor) => Differentiable): T {
  const op = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [Tensor, (tensors: Tensor[]) => void];
    const { value, saved, gradient } = forward(x);
    save(saved);
    return { value, gradFunc: gradient };
  });
  return op(x) as T;
}

function ops(native: NativeBackend) {
  const attributes = [float32Attribute(native)];
  const run = (name: string, ...inputs: Tensor[]): Tensor => native.executeSingleOutput(name, attributes, inputs);
  return { run, mul: (a: Tensor, b: Tensor): Tensor => run('Mul', a, b) };
}
