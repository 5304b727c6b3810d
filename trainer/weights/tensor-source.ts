/** Named tensors that are described first and read one by one: a network is loaded or saved without a second copy in memory. */
import type { StateDict, StateTensor } from './state-dict.ts';
import type { StoredDtype } from './stored-dtype.ts';

/** A tensor before it is read, in PyTorch's layout. */
export interface TensorInfo {
  dtype: StoredDtype;
  /** [] for a scalar. */
  shape: readonly number[];
}

export interface TensorSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The tensor `name` of `tensors`; the caller owns it. Rejects when its bytes cannot be read or are damaged. */
  read(name: string): Promise<StateTensor>;
}

/** A source whose tensors lie in an open file. */
export interface WeightsFile extends TensorSource {
  close(): Promise<void>;
}

export const isStateDict = (tensors: StateDict | TensorSource): tensors is StateDict => tensors instanceof Map;

/** What is in memory already, as a source; the arrays are shared. */
export function sourceOf(tensors: StateDict | TensorSource): TensorSource {
  if (!isStateDict(tensors)) return tensors;
  return { tensors, read: async (name) => tensors.get(name)! };
}

/** All tensors at once. */
export async function readAll(source: TensorSource): Promise<StateDict> {
  const stateDict: StateDict = new Map();
  for (const name of source.tensors.keys()) stateDict.set(name, await source.read(name));
  return stateDict;
}
