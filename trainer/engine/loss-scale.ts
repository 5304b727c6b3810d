/**
 * Dynamic loss scaling for float16, whose smallest positive number is 6e-8: gradients below it would be lost, so the loss's
 * gradient is multiplied by a scale that is as large as it can be without overflow. The rule and its numbers are those of
 * `torch.amp.GradScaler`; the method is P. Micikevicius et al., "Mixed precision training", ICLR 2018.
 *
 * Scale and counter are variables and every decision is arithmetic on tensors, so that a captured step decides anew each time.
 */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';
import { float32Attribute, nativeBackend } from './backend.ts';
import { tf } from './tf.ts';

export interface LossScaleOptions {
  initialScale: number;
  growthFactor: number;
  backoffFactor: number;
  /** Updates without overflow after which the scale grows. */
  growthInterval: number;
}

const DEFAULTS: LossScaleOptions = {
  initialScale: 65536,
  growthFactor: 2,
  backoffFactor: 0.5,
  growthInterval: 2000,
};

export interface Unscaled {
  /** Divided by the scale; all zeros when one of them was not finite. Null stays null. */
  gradients: Map<string, Tensor | null>;
  /** 1 when every gradient is finite, else 0: the update is to be left out. */
  applies: Scalar;
}

export class LossScale {
  readonly #options: LossScaleOptions;
  readonly #store = new ParameterStore();
  readonly #scale: Variable;
  readonly #growthSteps: Variable;

  constructor(options: Partial<LossScaleOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
    [this.#scale, this.#growthSteps] = tf.tidy(() => [
      this.#store.addBuffer('scale', tf.scalar(this.#options.initialScale)),
      this.#store.addBuffer('growth_steps', tf.scalar(0)),
    ]) as unknown as [Variable, Variable];
  }

  /** What a captured step has to keep: the scale and the updates since it last changed, float32 scalars. */
  get variables(): Variable[] {
    return [this.#scale, this.#growthSteps];
  }

  /** `loss` as it is; but gradients through it come out multiplied by the scale. */
  scaleGradient(loss: Scalar): Scalar {
    const op = tf.customGrad((...args) => {
      const [loss] = args as unknown as [Tensor];
      return { value: loss.clone(), gradFunc: (dy: Tensor) => dy.mul(this.#scale) };
    });
    return op(loss) as Scalar;
  }

  /** Takes the scale out of `gradients`, in float32. They stay the caller's, as does the result. */
  unscale(gradients: ReadonlyMap<string, Tensor | null>): Unscaled {
    const present = [...gradients].filter((entry): entry is [string, Tensor] => entry[1] !== null);
    const [applies, ...unscaled] = tf.tidy(() => {
      const applies = areFinite(present.map(([, gradient]) => gradient));
      const factor = applies.div(this.#scale) as Scalar;
      return [applies, ...present.map(([, gradient]) => multiplyUnlessZero(gradient, factor))] as never;
    }) as unknown as [Scalar, ...Tensor[]];
    const byName = new Map(present.map(([name], i) => [name, unscaled[i]!]));
    return { gradients: new Map([...gradients.keys()].map((name) => [name, byName.get(name) ?? null])), applies };
  }

  /**
   * After the update: multiplies the scale by the back-off when it was left out, by the growth factor after `growthInterval`
   * updates without overflow; never beyond float32. With `isDue` 0, between the batches of one update, nothing changes.
   */
  update(applies: Scalar, isDue: Scalar | null = null): void {
    const { growthFactor, backoffFactor, growthInterval } = this.#options;
    tf.tidy(() => {
      const steps = this.#growthSteps.add(1);
      const isOld = steps.greaterEqual(growthInterval);
      const grown = this.#scale.mul(growthFactor);
      const larger = tf.where(isOld.logicalAnd(tf.isFinite(grown)), grown, this.#scale);
      const wentWell = applies.greater(0);
      const assign = (variable: Variable, value: Tensor) =>
        variable.assign(isDue === null ? value : tf.where(isDue.greater(0), value, variable));
      assign(this.#scale, tf.where(wentWell, larger, this.#scale.mul(backoffFactor)));
      assign(this.#growthSteps, tf.where(wentWell.logicalAnd(isOld.logicalNot()), steps, tf.zerosLike(steps)));
    });
  }

  /** Scale and counter under stable names. */
  toState(): Promise<StateDict> {
    return this.#store.toStateDict();
  }

  /** Throws one Error naming what does not fit, changing nothing. */
  loadState(state: StateDict): void {
    this.#store.loadStateDict(state);
  }

  dispose(): void {
    this.#store.dispose();
  }
}

/**
 * `value` where `applies` is 1, `neutral` where it is 0. An optimiser leaves an update out when all of its numbers are made
 * neutral: learning rate and weight decay 0, momentum 1; its gradients are 0 already. That serves fused updates too.
 */
export function onlyIf(applies: Scalar, value: Scalar, neutral: number): Scalar {
  return tf.tidy(() => tf.where(applies.greater(0), value, tf.scalar(neutral)) as Scalar);
}

/** 1 or 0. A sum is finite only if all of its terms are, short of an overflow of float32 itself. */
function areFinite(tensors: Tensor[]): Scalar {
  if (tensors.length === 0) return tf.scalar(1);
  return tf.isFinite(tf.addN(tensors.map((tensor) => tf.sum(tensor)))).cast('float32') as Scalar;
}

/** `tensor` * `factor`, with 0 wherever `factor` is 0: also where `tensor` is infinite or no number. */
function multiplyUnlessZero(tensor: Tensor, factor: Scalar): Tensor {
  const native = nativeBackend();
  if (native !== null) return native.executeSingleOutput('MulNoNan', [float32Attribute(native)], [tensor, factor]);
  return tf.where(factor.equal(0), tf.zerosLike(tensor), tensor.mul(factor));
}
