/** How numbers lie in files, and how they become the few kinds that a state dict holds. All of it little-endian. */
import type { StateTensor } from './state-dict.ts';
import { elementCount } from './state-dict.ts';

export const STORED_BYTES = { F64: 8, I64: 8, F32: 4, I32: 4, F16: 2, BF16: 2, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;
export type StoredDtype = keyof typeof STORED_BYTES;

export const isStoredDtype = (dtype: string): dtype is StoredDtype => Object.hasOwn(STORED_BYTES, dtype);
export const isFloatingPoint = (dtype: StoredDtype): boolean => ['F64', 'F32', 'F16', 'BF16'].includes(dtype);
export const storedBytes = (dtype: StoredDtype, shape: readonly number[]): number =>
  elementCount(shape) * STORED_BYTES[dtype];

/**
 * A tensor from its bytes, which it takes over. Half precision becomes float32 and small integers int32, which loses nothing;
 * booleans become bytes.
 */
export function toStateTensor(dtype: StoredDtype, shape: readonly number[], bytes: ArrayBuffer): StateTensor {
  const wide = widen(dtype, bytes);
  return { ...wide, shape: [...shape] } as StateTensor;
}

function widen(dtype: StoredDtype, bytes: ArrayBuffer): Pick<StateTensor, 'dtype' | 'data'> {
  switch (dtype) {
    case 'F64':
      return { dtype, data: new Float64Array(bytes) };
    case 'I64':
      return { dtype, data: new BigInt64Array(bytes) };
    case 'F32':
      return { dtype, data: new Float32Array(bytes) };
    case 'I32':
      return { dtype, data: new Int32Array(bytes) };
    case 'F16':
      return { dtype: 'F32', data: fromHalf(new Uint16Array(bytes)) };
    case 'BF16':
      return { dtype: 'F32', data: fromBrain(new Uint16Array(bytes)) };
    case 'I16':
      return { dtype: 'I32', data: Int32Array.from(new Int16Array(bytes)) };
    case 'I8':
      return { dtype: 'I32', data: Int32Array.from(new Int8Array(bytes)) };
    case 'U8':
    case 'BOOL':
      return { dtype: 'U8', data: new Uint8Array(bytes) };
  }
}

/** bfloat16 is the upper half of a float32. */
function fromBrain(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** IEEE 754 binary16: 1 sign bit, 5 of exponent with bias 15, 10 of fraction. */
function fromHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const bits = halves[i]!;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) values[i] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    else if (exponent === 0) values[i] = sign * fraction * 2 ** -24;
    else values[i] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return values;
}
