/** What every optimiser offers, and which of its numbers hold for which parameter. */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import type { StateDict } from '../weights/state-dict.ts';

export interface Optimizer {
  /** In front of its state's names in a checkpoint. */
  readonly kind: 'sgd' | 'adamw';
  /**
   * One update. A parameter whose gradient is null or absent is left alone. Gradients and rate stay the caller's. With `applies`
   * 0 nothing changes, whatever the rate; the gradients must be zeros then.
   */
  step(gradients: ReadonlyMap<string, Tensor | null>, learningRate: Scalar, applies?: Scalar | null): void;
  /** What a captured step has to keep; the parameters are not among it. */
  readonly variables: Variable[];
  /** Slots under names made of the parameters' names. */
  toState(): Promise<StateDict>;
  /** Throws one Error naming everything that does not fit, changing nothing. */
  loadState(state: StateDict): void;
  /** Frees the slots; the parameters stay. */
  dispose(): void;
}

/** Weight decay on every parameter, or on none of one axis: those are biases and batch norm's scales and shifts. */
export type DecayedParameters = 'all' | 'kernels';

export interface GroupOptions {
  weightDecay: number;
  /** 'all' unless given. */
  decayedParameters?: DecayedParameters | undefined;
  /** Factors on the learning rate, by the beginning of the parameters' names; the first that fits counts. */
  rateFactors?: Readonly<Record<string, number>> | undefined;
}

export interface ParameterGroup {
  rateFactor: number;
  weightDecay: number;
}

export function groupOf(name: string, parameter: Variable, options: GroupOptions): ParameterGroup {
  const { weightDecay, decayedParameters = 'all', rateFactors = {} } = options;
  const [, rateFactor = 1] = Object.entries(rateFactors).find(([prefix]) => name.startsWith(prefix)) ?? [];
  const isDecayed = decayedParameters === 'all' || parameter.rank > 1;
  return { rateFactor, weightDecay: isDecayed ? weightDecay : 0 };
}

/** `make` of a number, called once for each: hundreds of parameters share a few rates. */
export function remembered<T>(make: (value: number) => T): (value: number) => T {
  const made = new Map<number, T>();
  return (value) => {
    if (!made.has(value)) made.set(value, make(value));
    return made.get(value)!;
  };
}
