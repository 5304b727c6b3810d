/** The optimiser that a run asks for. */
import type { Variable } from '@tensorflow/tfjs';
import { AdamW, type AdamWOptions } from './adamw.ts';
import type { Optimizer } from './optimizer.ts';
import { Sgd, type SgdOptions } from './sgd.ts';

export interface OptimizerOptions extends SgdOptions {
  /** AdamW's own numbers: it is used instead of SGD, and the momentum plays no part. */
  adamw?: Pick<AdamWOptions, 'beta1' | 'beta2' | 'epsilon'> | undefined;
}

/** The parameters stay the caller's. */
export function createOptimizer(parameters: ReadonlyMap<string, Variable>, options: OptimizerOptions): Optimizer {
  const { adamw, momentum, ...groups } = options;
  return adamw === undefined
    ? new Sgd(parameters, { momentum, ...groups })
    : new AdamW(parameters, { ...adamw, ...groups });
}
