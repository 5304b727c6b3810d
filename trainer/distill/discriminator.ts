/** MEAL V2's discriminator: three dense layers that tell student logits from teacher logits. */
import type { DiscriminatorGradient } from '@mealtable/protocol/distillation-method';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs';
import { relu } from '../engine/relu.ts';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';
import { linearDefault } from '../models/initialise.ts';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';

export interface Discriminator {
  /** Widths from input to output, e.g. 1000, 125, 15, 2. */
  readonly widths: readonly number[];
  /** Whether a ReLU follows the last layer too: then an output can be dead. */
  readonly finalRelu: boolean;
  readonly parameters: ReadonlyMap<string, Variable>;
  /** [N, C] logits to [N, 2]. */
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

/**
 * Initialised as PyTorch initialises dense layers. ReLU follows the first two of them and, as in the reference code, the last one
 * too, unless `finalRelu` is off. The caller disposes of it.
 */
export function createDiscriminator(numClasses: number, rng: Rng, { finalRelu = true } = {}): Discriminator {
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
    finalRelu,
    parameters: store.parameters,
    forward: (logits) =>
      tf.tidy(() =>
        layers.reduce((x, { weight, bias }, index) => {
          const y = x.matMul(weight).add(bias) as Tensor2D;
          return index < layers.length - 1 || finalRelu ? relu(y) : y;
        }, logits),
      ),
    toStateDict: () => store.toStateDict(),
    loadStateDict: (stateDict) => store.loadStateDict(stateDict),
    dispose: () => store.dispose(),
  };
}

/**
 * The discriminator's outputs [2N, 2] for a batch: the student's N rows first, then the teachers' N. What flows back into `student`
 * is the gradient as it is (cooperative, the reference code's way: it makes student and teachers easier to tell apart), its opposite
 * (reversal: Y. Ganin, V. Lempitsky, arXiv 1409.7495) or zeros (detached). The discriminator's own gradient is the same in all three.
 */
export function discriminate(
  discriminator: Discriminator,
  student: Tensor2D,
  teachers: Tensor2D,
  gradient: DiscriminatorGradient = 'cooperative',
): Tensor2D {
  return tf.tidy(() => discriminator.forward(tf.concat2d([withGradient(student, gradient), teachers], 0)));
}

/**
 * Binary cross-entropy with logits of `discriminate`'s outputs, mean over all 4N of them: student rows should give [1, 0], teacher
 * rows [0, 1]. A ReLU on the outputs bounds it below by ln(2)/2 = 0.3466; without one it may fall to 0.
 */
export function discriminationLoss(outputs: Tensor2D): Scalar {
  return tf.tidy(() => binaryCrossEntropyWithLogits(outputs, tf.oneHot(sides(outputs), 2) as Tensor2D));
}

/** Share of rows whose larger output is the right one, in percent: 50 is chance, and what two dead outputs give. */
export function discriminatorAccuracy(outputs: Tensor2D): Scalar {
  return tf.tidy(() => outputs.argMax(1).equal(sides(outputs)).mean().mul(100) as Scalar);
}

/**
 * Share of the two outputs, behind a ReLU, that are 0 for every row: 0, 50 or 100 percent. Such an output has no gradient. Its
 * binary cross-entropy is ln 2 whatever the row, so that with one of them the loss is at least 3/4 ln 2, and with both it is ln 2.
 */
export function deadOutputs(outputs: Tensor2D): Scalar {
  return tf.tidy(() => outputs.max(0).lessEqual(0).mean().mul(100) as Scalar);
}

/** Both at once, as MEAL V2 has it. */
export function discriminatorLoss(
  discriminator: Discriminator,
  studentLogits: Tensor2D,
  meanTeacherLogits: Tensor2D,
): Scalar {
  return tf.tidy(() => discriminationLoss(discriminate(discriminator, studentLogits, meanTeacherLogits)));
}

/** 0 for the student's rows, 1 for the teachers', int32 [2N]. */
function sides(outputs: Tensor2D): Tensor1D {
  const count = outputs.shape[0] / 2;
  return tf.concat1d([tf.zeros([count], 'int32'), tf.ones([count], 'int32')]);
}

function withGradient(x: Tensor2D, gradient: DiscriminatorGradient): Tensor2D {
  if (gradient === 'cooperative') return x;
  const op = tf.customGrad((...args) => {
    const [x] = args as unknown as [Tensor2D];
    const gradFunc = (dy: Tensor): Tensor => (gradient === 'reversal' ? dy.neg() : tf.zerosLike(dy));
    return { value: x.clone(), gradFunc };
  });
  return op(x) as Tensor2D;
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
