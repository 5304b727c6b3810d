/** A run whose numbers are none any more: it ends, and its last checkpoint is from before that. */
import type { StateDict, StateTensor } from '../weights/state-dict.ts';
import type { TensorSource } from '../weights/tensor-source.ts';
import { RunFailure } from './run-failure.ts';

/** @param what became `value`, e.g. "training loss" */
export function diverged(what: string, value: number, step: number): RunFailure {
  return new RunFailure(
    'diverged',
    `The ${what} became ${value} at step ${step}. Lower the learning rate, or use a schedule with warm-up; the last checkpoint before it is kept.`,
  );
}

/**
 * The loss of a step is that of the weights before its update, so what a checkpoint is made of is looked at itself.
 * @param step steps completed @throws {RunFailure} diverged, naming the first array with NaN or an infinity
 */
export function requireFinite(state: StateDict, step: number): void {
  for (const [name, tensor] of state) requireFiniteTensor(name, tensor, step);
}

/** The same for tensors that are read one by one: whoever reads a bad one gets the failure. */
export function finiteOnly(source: TensorSource, step: number): TensorSource {
  return {
    tensors: source.tensors,
    read: async (name) => {
      const tensor = await source.read(name);
      requireFiniteTensor(name, tensor, step);
      return tensor;
    },
  };
}

function requireFiniteTensor(name: string, { dtype, data }: StateTensor, step: number): void {
  if (dtype !== 'F32' && dtype !== 'F64') return;
  const at = data.findIndex((value: number) => !Number.isFinite(value));
  if (at !== -1) throw diverged(`weight ${name}`, data[at]!, step);
}
