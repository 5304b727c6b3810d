/** One optimiser update from a forward pass: gradients, loss scale where float16 needs one, SGD. */
import type { Scalar, Variable } from '@tensorflow/tfjs';
import type { Precision } from '../engine/capture.ts';
import { computeGradients, type ForwardResult } from '../engine/gradients.ts';
import { LossScale } from '../engine/loss-scale.ts';
import { Sgd, type SgdOptions } from '../optim/sgd.ts';
import type { StateDict } from '../weights/state-dict.ts';
import { takePrefix, withPrefix } from './task.ts';

export interface UpdaterOptions extends SgdOptions {
  /** What the steps will compute in; float32 unless given. */
  precision?: Precision;
}

export class Updater {
  readonly #parameters: ReadonlyMap<string, Variable>;
  readonly #sgd: Sgd;
  readonly #lossScale: LossScale | null;

  /** The parameters stay the caller's; their names key the optimiser's state. */
  constructor(parameters: ReadonlyMap<string, Variable>, { precision = 'float32', ...options }: UpdaterOptions) {
    this.#parameters = parameters;
    this.#sgd = new Sgd(parameters, options);
    this.#lossScale = precision === 'float16' ? new LossScale() : null;
  }

  /** Parameters, optimiser slots and loss scale. */
  get variables(): Variable[] {
    return [...this.#parameters.values(), ...this.#sgd.variables, ...(this.#lossScale?.variables ?? [])];
  }

  /** Descends the loss of `forward` once and gives its result, the caller's. With a loss scale, an overflow leaves the update out. */
  update<R extends ForwardResult>(forward: () => R, learningRate: Scalar): R {
    const lossScale = this.#lossScale;
    if (lossScale === null) {
      const { values, gradients } = computeGradients(this.#parameters, forward);
      this.#sgd.step(gradients, learningRate);
      return values;
    }
    const { values, gradients } = computeGradients(this.#parameters, () => {
      const result = forward();
      return { ...result, loss: lossScale.scaleGradient(result.loss) };
    });
    const unscaled = lossScale.unscale(gradients);
    this.#sgd.step(unscaled.gradients, learningRate, unscaled.applies);
    lossScale.update(unscaled.applies);
    return values as R;
  }

  async toState(): Promise<StateDict> {
    return new Map([
      ...withPrefix('sgd.', await this.#sgd.toState()),
      ...withPrefix('loss_scale.', (await this.#lossScale?.toState()) ?? new Map()),
    ]);
  }

  /** Throws one Error naming what does not fit. */
  loadState(state: StateDict): void {
    this.#sgd.loadState(takePrefix('sgd.', state));
    this.#lossScale?.loadState(takePrefix('loss_scale.', state));
  }

  /** Frees the optimiser's own variables; the parameters stay. */
  dispose(): void {
    this.#sgd.dispose();
    this.#lossScale?.dispose();
  }
}
