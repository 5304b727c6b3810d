/** The values of one metric, one after the other: in four bytes each where that loses nothing. NaN and infinities are values like others. */
import { bytesOf, toFloat32s, toFloat64s } from './bytes.ts';

/** All equal: written once, in eight bytes. */
export const CONSTANT = 0;
export const FLOAT32 = 1;
export const FLOAT64 = 2;
export type ColumnKind = typeof CONSTANT | typeof FLOAT32 | typeof FLOAT64;

export interface PackedColumn {
  kind: ColumnKind;
  bytes: Uint8Array;
}

export function encodeColumn(values: Float64Array): PackedColumn {
  const first = values[0]!;
  let i = 1;
  while (i < values.length && Object.is(values[i], first)) i++;
  if (i === values.length) return { kind: CONSTANT, bytes: bytesOf(Float64Array.of(first)) };
  return isFloat32(values)
    ? { kind: FLOAT32, bytes: bytesOf(new Float32Array(values)) }
    : { kind: FLOAT64, bytes: bytesOf(values) };
}

export function isFloat32(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Math.fround(value) !== value && !Number.isNaN(value)) return false;
  }
  return true;
}

/** @param count of values; a constant has none of its own */
export const columnSize = (kind: ColumnKind, count: number): number =>
  kind === CONSTANT ? 8 : (kind === FLOAT32 ? 4 : 8) * count;

export function decodeColumn(kind: ColumnKind, bytes: Uint8Array, count: number): Float64Array {
  if (kind === FLOAT32) return new Float64Array(toFloat32s(bytes));
  const values = toFloat64s(bytes);
  return kind === CONSTANT ? new Float64Array(count).fill(values[0]!) : values;
}
