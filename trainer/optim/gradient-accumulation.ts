/**
 * One update from the gradients of several batches: their mean, which for a loss that is a mean over images is the gradient of
 * one batch of all those images. Batch norm still sees the single batches: it normalises with their statistics and averages
 * them one by one.
 *
 * The place in the window is a variable and the decision arithmetic on tensors, so that a captured step decides anew each time.
 */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import { tf } from '../engine/tf.ts';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';

export interface Accumulated {
  /** Means over the window when the update is due and every batch of it was fine, else zeros. Null stays null. */
  gradients: Map<string, Tensor | null>;
  /** 1 when this batch is its window's last, else 0. */
  isDue: Scalar;
  /** 1 when the update is due and no batch of the window overflowed, else 0. */
  applies: Scalar;
}

export class GradientAccumulation {
  readonly #batches: number;
  readonly #store = new ParameterStore();
  /** Batches of this window so far. */
  readonly #count: Variable;
  /** 0 once a batch of this window has overflowed. */
  readonly #isFine: Variable;

  /** @param batches how many make up one update */
  constructor(parameters: ReadonlyMap<string, Variable>, batches: number) {
    this.#batches = batches;
    [this.#count, this.#isFine] = tf.tidy(() => {
      for (const [name, { shape }] of parameters) this.#store.addParameter(name, 'plain', tf.zeros(shape));
      return [this.#store.addBuffer('batches', tf.scalar(0)), this.#store.addBuffer('is_fine', tf.scalar(1))] as never;
    }) as unknown as [Variable, Variable];
  }

  /**
   * Takes in one batch's gradients, which stay the caller's, as does the result. `isFine` 0 says that they overflowed and are
   * zeros.
   */
  add(gradients: ReadonlyMap<string, Tensor | null>, isFine: Scalar | null): Accumulated {
    const names = [...gradients].flatMap(([name, gradient]) => (gradient === null ? [] : [name]));
    const [isDue, applies, ...means] = tf.tidy(() => {
      const count = this.#count.add(1);
      const isDue = count.greaterEqual(this.#batches).cast('float32') as Scalar;
      const goesOn = tf.sub(1, isDue);
      const fine = isFine === null ? this.#isFine : this.#isFine.mul(isFine);
      const applies = isDue.mul(fine) as Scalar;
      const means = names.map((name) => {
        const sum = this.#store.parameters.get(name)!;
        const mean = sum.add(gradients.get(name)!.div(this.#batches));
        sum.assign(mean.mul(goesOn));
        return mean.mul(applies);
      });
      this.#count.assign(count.mul(goesOn));
      this.#isFine.assign(tf.where(isDue.greater(0), tf.onesLike(fine), fine));
      return [isDue, applies, ...means] as never;
    }) as unknown as [Scalar, Scalar, ...Tensor[]];
    const byName = new Map(names.map((name, i) => [name, means[i]!]));
    return {
      gradients: new Map([...gradients.keys()].map((name) => [name, byName.get(name) ?? null])),
      isDue,
      applies,
    };
  }

  get variables(): Variable[] {
    return [...this.#store.parameters.values(), this.#count, this.#isFine];
  }

  /** The window as it stands: sums under their parameters' names, and its counters. */
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
