/** Stochastic gradient descent with momentum: the arithmetic of `torch.optim.SGD` (dampening 0, no Nesterov). */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import { arithmetic } from '../engine/backend.ts';
import { activeRecorder } from '../engine/graph/recorder.ts';
import { onlyIf } from '../engine/loss-scale.ts';
import { tf } from '../engine/tf.ts';
import { ParameterStore } from '../weights/parameter-store.ts';
import type { StateDict } from '../weights/state-dict.ts';
import { type GroupOptions, groupOf, type Optimizer, remembered } from './optimizer.ts';

export interface SgdOptions extends GroupOptions {
  momentum: number;
}

export class Sgd implements Optimizer {
  readonly kind = 'sgd';
  readonly #parameters: ReadonlyMap<string, Variable>;
  readonly #options: SgdOptions;
  /** One velocity per parameter, under the parameter's name. Starting at 0 equals PyTorch's "first velocity = gradient". */
  readonly #velocities = new ParameterStore();

  /** The parameters stay the caller's; their names key the optimiser's state, so keep them apart when merging two networks'. */
  constructor(parameters: ReadonlyMap<string, Variable>, options: SgdOptions) {
    this.#parameters = parameters;
    this.#options = options;
    tf.tidy(() => {
      for (const [name, parameter] of parameters) {
        this.#velocities.addParameter(name, 'plain', tf.zeros(parameter.shape));
      }
    });
  }

  /**
   * v = momentum v + (g + weightDecay w); w = w - learningRate v. A parameter whose gradient is null or absent is left alone,
   * as PyTorch does with `grad is None`. The gradients and the rate stay the caller's. With `applies` 0 nothing changes, whatever
   * the rate; the gradients must be zeros then.
   */
  step(gradients: ReadonlyMap<string, Tensor | null>, learningRate: Scalar, applies: Scalar | null = null): void {
    const { momentum } = this.#options;
    const compute = arithmetic();
    tf.tidy(() => {
      const choose = (value: Scalar, neutral: number) => (applies === null ? value : onlyIf(applies, value, neutral));
      const rate = choose(learningRate, 0);
      const rateOf = remembered((factor) => (factor === 1 ? rate : (rate.mul(factor) as Scalar)));
      const decayOf = remembered((weightDecay) => choose(tf.scalar(weightDecay), 0));
      const inertia = choose(tf.scalar(momentum), 1);
      const update = activeRecorder() === null ? updateByParts : updateInPlace;
      for (const [name, parameter] of this.#parameters) {
        const gradient = gradients.get(name);
        if (gradient === null || gradient === undefined) continue;
        const velocity = this.#velocities.parameters.get(name)!;
        const { rateFactor, weightDecay } = groupOf(name, parameter, this.#options);
        const pull =
          weightDecay === 0 ? gradient : compute('Add', gradient, compute('Mul', parameter, decayOf(weightDecay)));
        update(parameter, velocity, rateOf(rateFactor), pull, inertia);
      }
    });
  }

  /** The velocities, in the parameters' order. */
  get variables(): Variable[] {
    return [...this.#velocities.parameters.values()];
  }

  /** Velocities under their parameters' names, in TensorFlow's layout. */
  toState(): Promise<StateDict> {
    return this.#velocities.toStateDict();
  }

  /** Throws one Error naming every velocity that does not fit, changing nothing. */
  loadState(state: StateDict): void {
    this.#velocities.loadStateDict(state);
  }

  /** Frees the velocities; the parameters stay. */
  dispose(): void {
    this.#velocities.dispose();
  }
}

/** One step for one parameter; `pull` is its gradient with weight decay. */
type Update = (parameter: Variable, velocity: Variable, rate: Scalar, pull: Tensor, inertia: Scalar) => void;

const updateByParts: Update = (parameter, velocity, rate, pull, inertia) => {
  const compute = arithmetic();
  velocity.assign(compute('Add', compute('Mul', velocity, inertia), pull));
  parameter.assign(compute('Sub', parameter, compute('Mul', velocity, rate)));
};

/** In a graph one op does it all where the weights lie, without a tensor in between. */
const updateInPlace: Update = (parameter, velocity, rate, pull, inertia) => {
  const operands = [parameter, velocity, rate, pull, inertia];
  activeRecorder()!.updateInPlace('ResourceApplyMomentum', [parameter, velocity], operands, {
    T: { kind: 'type', value: 'float32' },
  });
};
