/** Numbers of a tensor that lie in another order than its shape: a transposed one, every other column. */

const WORDS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const;
export type ElementBytes = keyof typeof WORDS;

/** Whether a tensor's numbers lie one after the other, the last axis fastest. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    // Along an axis of one element, nothing is ever stepped.
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** @param bytes the tensor's elements from its first to its last @param strides in elements @returns the tensor in C order */
export function gather(
  bytes: ArrayBuffer,
  elementBytes: ElementBytes,
  shape: readonly number[],
  strides: readonly number[],
): ArrayBuffer {
  const source = new WORDS[elementBytes](bytes);
  const count = shape.reduce((product, size) => product * size, 1);
  const result = new ArrayBuffer(count * elementBytes);
  const target = new WORDS[elementBytes](result);
  const index = shape.map(() => 0);
  for (let i = 0, at = 0; i < count; i++) {
    target[i] = source[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}
