/** One optimiser update from a forward pass: gradients, loss scale where float16 needs one, accumulation, optimiser. */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import type { Precision } from '../engine/capture.ts';
import { computeGradients, type ForwardResult } from '../engine/gradients.ts';
import { LossScale } from '../engine/loss-scale.ts';
import { createOptimizer, type OptimizerOptions } from '../optim/create-optimizer.ts';
import { GradientAccumulation } from '../optim/gradient-accumulation.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import type { StateDict } from '../weights/state-dict.ts';
import { takePrefix, withPrefix } from './task.ts';

export interface UpdaterOptions extends OptimizerOptions {
  /** What the steps will compute in; float32 unless given. */
  precision?: Precision;
  /** Batches whose gradients make up one update; 1 unless given. */
  accumulation?: number | undefined;
}

export class Updater {
  readonly #parameters: ReadonlyMap<string, Variable>;
  readonly #optimizer: Optimizer;
  readonly #lossScale: LossScale | null;
  readonly #accumulation: GradientAccumulation | null;

  /** The parameters stay the caller's; their names key the optimiser's state. */
  constructor(parameters: ReadonlyMap<string, Variable>, options: UpdaterOptions) {
    const { precision = 'float32', accumulation = 1, ...optimizer } = options;
    this.#parameters = parameters;
    this.#optimizer = createOptimizer(parameters, optimizer);
    this.#lossScale = precision === 'float16' ? new LossScale() : null;
    this.#accumulation = accumulation === 1 ? null : new GradientAccumulation(parameters, accumulation);
  }

  /** Parameters, optimiser slots, loss scale and accumulated gradients. */
  get variables(): Variable[] {
    const own = [this.#optimizer, this.#lossScale, this.#accumulation].flatMap((part) => part?.variables ?? []);
    return [...this.#parameters.values(), ...own];
  }

  /**
   * Descends the loss of `forward` once and gives its result, the caller's. With a loss scale, an overflow leaves the update out;
   * with accumulation, only every so-many-th call updates.
   */
  update<R extends ForwardResult>(forward: () => R, learningRate: Scalar): R {
    const lossScale = this.#lossScale;
    if (lossScale === null) {
      const { values, gradients } = computeGradients(this.#parameters, forward);
      this.#apply(gradients, null, learningRate);
      return values;
    }
    const { values, gradients } = computeGradients(this.#parameters, () => {
      const result = forward();
      return { ...result, loss: lossScale.scaleGradient(result.loss) };
    });
    const unscaled = lossScale.unscale(gradients);
    this.#apply(unscaled.gradients, unscaled.applies, learningRate);
    return values as R;
  }

  /** @param isFine 0 when the gradients overflowed and are zeros; null where that is not looked at */
  #apply(gradients: ReadonlyMap<string, Tensor | null>, isFine: Scalar | null, learningRate: Scalar): void {
    if (this.#accumulation === null) {
      this.#optimizer.step(gradients, learningRate, isFine);
      if (isFine !== null) this.#lossScale!.update(isFine);
      return;
    }
    const { gradients: means, applies, isDue } = this.#accumulation.add(gradients, isFine);
    this.#optimizer.step(means, learningRate, applies);
    this.#lossScale?.update(applies, isDue);
  }

  async toState(): Promise<StateDict> {
    return new Map([
      ...withPrefix(`${this.#optimizer.kind}.`, await this.#optimizer.toState()),
      ...withPrefix('loss_scale.', (await this.#lossScale?.toState()) ?? new Map()),
      ...withPrefix('accumulation.', (await this.#accumulation?.toState()) ?? new Map()),
    ]);
  }

  /** Throws one Error naming what does not fit. */
  loadState(state: StateDict): void {
    this.#optimizer.loadState(takePrefix(`${this.#optimizer.kind}.`, state));
    this.#lossScale?.loadState(takePrefix('loss_scale.', state));
    this.#accumulation?.loadState(takePrefix('accumulation.', state));
  }

  /** Frees the optimiser's own variables; the parameters stay. */
  dispose(): void {
    for (const part of [this.#optimizer, this.#lossScale, this.#accumulation]) part?.dispose();
  }
}
