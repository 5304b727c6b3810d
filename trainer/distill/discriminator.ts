/** MEAL V2's discriminator: three dense layers that tell student logits from teacher logits. */
import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import { relu } from '../engine/relu.ts';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';
import { linearDefault } from '../models/initialise.ts';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';

export interface Discriminator {
  /** Widths from input to output, e.g. 1000, 125, 15, 2. */
  readonly widths: readonly number[];
  readonly parameters: ReadonlyMap<string, Variable>;
  /** [N, C] logits to [N, 2]. ReLU follows all three layers, the last one too, as in the reference code. */
  forward(logits: Tensor2D): Tensor2D;
  toStateDict(): Promise<StateDict>;
  /** Throws one Error naming every key that does not fit, changing nothing. */
  loadStateDict(stateDict: StateDict): void;
  dispose(): void;
}

/**
 * C -> C/K -> C/K^2 -> 2. The reference has K = 8 for 1000 classes; below 64 classes that would leave a layer of width 0, so
 * K = 2 there (MEAL V1's value), and never a width below 1.
 */
export function discriminatorWidths(numClasses: number): [number, number, number, number] {
  const reduction = numClasses >= 64 ? 8 : 2;
  const narrow = (width: number): number => Math.max(1, Math.floor(width / reduction));
  return [numClasses, narrow(numClasses), narrow(narrow(numClasses)), 2];
}

/** Initialised as PyTorch initialises dense layers. The caller disposes of it. */
export function createDiscriminator(numClasses: number, rng: Rng): Discriminator {
  const widths = discriminatorWidths(numClasses);
  const store = new ParameterStore();
  const layers = tf.tidy(() =>
    [1, 2, 3].map((index) => {
      const name = `fc${index}`;
      const { weight, bias } = linearDefault(widths[index - 1]!, widths[index]!, rng.stream('discriminator', name));
      return {
        weight: store.addParameter(`${name}.weight`, 'dense', weight),
        bias: store.addParameter(`${name}.bias`, 'plain', bias),
      };
    }),
  );
  return {
    widths,
    parameters: store.parameters,
    forward: (logits) =>
      tf.tidy(() => layers.reduce((x, { weight, bias }) => relu(x.matMul(weight).add(bias)) as Tensor2D, logits)),
    toStateDict: () => store.toStateDict(),
    loadStateDict: (stateDict) => store.loadStateDict(stateDict),
    dispose: () => store.dispose(),
  };
}

/**
 * Binary cross-entropy of the discriminator's two outputs, mean over all 4N of them: student rows should give [1, 0], teacher
 * rows [0, 1]. Cooperative, as in the reference: nothing is detached or reversed, so the gradient reaches the student through
 * `studentLogits`. The ReLU on the outputs bounds it below by ln(2)/2 = 0.3466.
 */
export function discriminatorLoss(
  discriminator: Discriminator,
  studentLogits: Tensor2D,
  meanTeacherLogits: Tensor2D,
): Scalar {
  return tf.tidy(() => {
    const count = studentLogits.shape[0];
    const outputs = discriminator.forward(tf.concat2d([studentLogits, meanTeacherLogits], 0));
    const targets = tf.oneHot(tf.concat1d([tf.zeros([count], 'int32'), tf.ones([count], 'int32')]), 2) as Tensor2D;
    return binaryCrossEntropyWithLogits(outputs, targets);
  });
}

/** Mean of max(z, 0) - z y + log(1 + exp(-|z|)), the form that does not overflow; gradient (sigmoid(z) - y) / size. */
export function binaryCrossEntropyWithLogits(logits: Tensor2D, targets: Tensor2D): Scalar {
  const op = tf.customGrad((...args) => {
    const [z, save] = args as unknown as [Tensor2D, (tensors: Tensor[]) => void];
    save([z, targets]);
    const value = z.relu().sub(z.mul(targets)).add(z.abs().neg().exp().log1p()).mean() as Scalar;
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor => {
      const [z, targets] = saved as [Tensor2D, Tensor2D];
      return z.sigmoid().sub(targets).mul(dy.div(z.size));
    };
    return { value, gradFunc };
  });
  return op(logits) as Scalar;
}
