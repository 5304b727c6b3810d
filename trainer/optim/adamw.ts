/**
 * Adam with decoupled weight decay: the arithmetic of `torch.optim.AdamW`. D. P. Kingma, J. Ba, "Adam", ICLR 2015; I. Loshchilov,
 * F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
 */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import { arithmetic } from '../engine/backend.ts';
import { activeRecorder } from '../engine/graph/recorder.ts';
import { onlyIf } from '../engine/loss-scale.ts';
import { tf } from '../engine/tf.ts';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';
import { type GroupOptions, groupOf, type Optimizer, type ParameterGroup, remembered } from './optimizer.ts';

export interface AdamWOptions extends GroupOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
}

interface Slots {
  parameter: Variable;
  mean: Variable;
  square: Variable;
  group: ParameterGroup;
}

/** The numbers of one update, with the bias corrections in them. */
interface Numbers {
  rate: Scalar;
  beta1: Scalar;
  beta2: Scalar;
  epsilon: Scalar;
  none: Scalar;
}

export class AdamW implements Optimizer {
  readonly kind = 'adamw';
  readonly #options: AdamWOptions;
  readonly #store = new ParameterStore();
  readonly #slots = new Map<string, Slots>();
  /** Updates done, for all parameters alike. float32 counts to 2^24, where the bias corrections are long 1. */
  readonly #count: Variable;

  /** The parameters stay the caller's; their names key the optimiser's state. */
  constructor(parameters: ReadonlyMap<string, Variable>, options: AdamWOptions) {
    this.#options = options;
    this.#count = tf.tidy(() => {
      for (const [name, parameter] of parameters) {
        const zeros = tf.zeros(parameter.shape);
        const mean = this.#store.addParameter(`exp_avg.${name}`, 'plain', zeros);
        const square = this.#store.addParameter(`exp_avg_sq.${name}`, 'plain', zeros);
        this.#slots.set(name, { parameter, mean, square, group: groupOf(name, parameter, options) });
      }
      return this.#store.addBuffer('step', tf.scalar(0)) as never;
    });
  }

  /**
   * w = w - lr weightDecay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
   * w = w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) in update t = 1, 2, ...
   */
  step(gradients: ReadonlyMap<string, Tensor | null>, learningRate: Scalar, applies: Scalar | null = null): void {
    const { beta1, beta2, epsilon } = this.#options;
    const compute = arithmetic();
    tf.tidy(() => {
      const choose = (value: Scalar, neutral: number) => (applies === null ? value : onlyIf(applies, value, neutral));
      // Also of an update that is left out: the corrections of the first one would be divisions by 0 otherwise.
      const count = this.#count.add(1) as Scalar;
      const root = biasCorrection(beta2, count).sqrt() as Scalar;
      const rateOf = remembered((factor) => choose(learningRate, 0).mul(factor) as Scalar);
      const correctedRateOf = remembered((factor) => rateOf(factor).mul(root).div(biasCorrection(beta1, count)));
      // sqrt(v) / root + epsilon is (sqrt(v) + epsilon root) / root.
      const fixed = {
        beta1: choose(tf.scalar(beta1), 1),
        beta2: choose(tf.scalar(beta2), 1),
        epsilon: root.mul(epsilon) as Scalar,
        none: tf.scalar(0),
      };
      const update = activeRecorder() === null ? updateByParts : updateInPlace;
      for (const [name, slots] of this.#slots) {
        const gradient = gradients.get(name);
        if (gradient === null || gradient === undefined) continue;
        const { parameter, group } = slots;
        const { rateFactor, weightDecay } = group;
        const decay =
          weightDecay === 0 ? null : compute('Mul', parameter, rateOf(rateFactor).mul(weightDecay) as Scalar);
        update(slots, { ...fixed, rate: correctedRateOf(rateFactor) as Scalar }, gradient, decay);
      }
      this.#count.assign(applies === null ? count : this.#count.add(applies));
    });
  }

  get variables(): Variable[] {
    return [...this.#store.parameters.values(), this.#count];
  }

  /** PyTorch's names for the slots, then the parameter's; `step` counts the updates. */
  toState(): Promise<StateDict> {
    return this.#store.toStateDict();
  }

  loadState(state: StateDict): void {
    this.#store.loadStateDict(state);
  }

  dispose(): void {
    this.#store.dispose();
  }
}

/** 1 - beta^t without cancellation. Of float32's beta, with which the slots are computed. */
function biasCorrection(beta: number, count: Scalar): Scalar {
  return tf.expm1(count.mul(Math.log(Math.fround(beta)))).neg() as Scalar;
}

/** One step for one parameter; `decay` is taken from it beforehand. */
type Update = (slots: Slots, numbers: Numbers, gradient: Tensor, decay: Tensor | null) => void;

const updateByParts: Update = ({ parameter, mean, square }, { rate, beta1, beta2, epsilon }, gradient, decay) => {
  const compute = arithmetic();
  const one = tf.scalar(1);
  const towards = (slot: Variable, target: Tensor, beta: Scalar) =>
    slot.assign(compute('Add', slot, compute('Mul', compute('Sub', target, slot), compute('Sub', one, beta))));
  towards(mean, gradient, beta1);
  towards(square, compute('Mul', gradient, gradient), beta2);
  const decayed = decay === null ? parameter : compute('Sub', parameter, decay);
  const change = compute('Mul', mean, rate).div(square.sqrt().add(epsilon));
  parameter.assign(compute('Sub', decayed, change));
};

/** In a graph one op does it all where the weights lie. It would correct for the bias itself: powers of 0 leave that to us. */
const updateInPlace: Update = ({ parameter, mean, square }, { rate, beta1, beta2, epsilon, none }, gradient, decay) => {
  const recorder = activeRecorder()!;
  if (decay !== null)
    recorder.updateInPlace('AssignSubVariableOp', [parameter], [parameter, decay], {
      dtype: { kind: 'type', value: 'float32' },
    });
  const operands = [parameter, mean, square, none, none, rate, beta1, beta2, epsilon, gradient];
  recorder.updateInPlace('ResourceApplyAdam', [parameter, mean, square], operands, {
    T: { kind: 'type', value: 'float32' },
  });
};
