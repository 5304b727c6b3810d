/**
 * Exponential moving averages of weights: average = decay average + (1 - decay) weight after every update. With warm-up the decay
 * of update t is min(decay, (1 + t) / (10 + t)), the rule of `tf.train.ExponentialMovingAverage`, so that a short run's averages
 * do not consist of its first weights.
 */
import type { Scalar, Variable } from '@tensorflow/tfjs';
import { activeRecorder } from '../engine/graph/recorder.ts';
import { tf } from '../engine/tf.ts';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';

export interface WeightAverageOptions {
  decay: number;
  warmup: boolean;
  /** Steps that make up one update: in between the averages stand still. 1 unless given. */
  stepsPerUpdate?: number | undefined;
}

export interface AveragedVariable {
  weight: Variable;
  average: Variable;
  /** Whether an optimiser changes it, in graphs where it lies; else the step assigns it. */
  isTrained: boolean;
}

export class WeightAverage {
  readonly #averaged: readonly AveragedVariable[];
  readonly #options: WeightAverageOptions;
  readonly #store = new ParameterStore();
  readonly #steps: Variable;

  /** The variables stay the caller's; the averages begin as they are. */
  constructor(averaged: readonly AveragedVariable[], options: WeightAverageOptions) {
    this.#averaged = averaged;
    this.#options = options;
    this.#steps = tf.tidy(() => this.#store.addBuffer('steps', tf.scalar(0)) as never);
  }

  /** After a step. */
  update(): void {
    tf.tidy(() => {
      const steps = this.#steps.add(1) as Scalar;
      const share = this.#shareAt(steps);
      const recorder = activeRecorder();
      for (const { weight, average, isTrained } of this.#averaged) {
        const now = isTrained && recorder !== null ? recorder.readUpdated(weight) : weight;
        average.assign(average.add(now.sub(average).mul(share)));
      }
      this.#steps.assign(steps);
    });
  }

  /** What an average moves by, of its distance to the weight: 1 - decay, or 0 where no update was due. */
  #shareAt(steps: Scalar): Scalar {
    const { decay, warmup, stepsPerUpdate = 1 } = this.#options;
    // 1 - (1 + t) / (10 + t) is 9 / (10 + t).
    const updates = stepsPerUpdate === 1 ? steps : steps.div(stepsPerUpdate).floor();
    const share = warmup ? tf.maximum(1 - decay, tf.div(9, updates.add(10))) : tf.scalar(1 - decay);
    if (stepsPerUpdate === 1) return share as Scalar;
    return share.mul(steps.equal(updates.mul(stepsPerUpdate)).cast('float32')) as Scalar;
  }

  /** The steps so far; the averages are the caller's. */
  get variables(): Variable[] {
    return [this.#steps];
  }

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
