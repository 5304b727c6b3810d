/** Named arrays in PyTorch's layout: what checkpoints, safetensors files and networks exchange. */

export interface StateArrays {
  F32: Float32Array;
  F64: Float64Array;
  I64: BigInt64Array;
  I32: Int32Array;
  U8: Uint8Array;
}

export type StateDtype = keyof StateArrays;

/** One array; `shape` is [] for a scalar and its product is `data.length`. */
export type StateTensor = { [D in StateDtype]: { dtype: D; shape: number[]; data: StateArrays[D] } }[StateDtype];

/** Insertion order is the order of the header when written. */
export type StateDict = Map<string, StateTensor>;

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
