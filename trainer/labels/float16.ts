/** Half-precision numbers (IEEE 754 binary16) as 16-bit words: how soft labels are stored. */

const EXPONENT = 0x7c00;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * The word nearest to `value` after float32 rounding, ties to even. Relative error at most 2^-11 from 2^-14 on; below that
 * absolute error at most 2^-25, and 0 up to 2^-25. From 65520 on it is infinity.
 */
export function toFloat16(value: number): number {
  float[0] = value;
  const sign = (bits[0]! >>> 16) & 0x8000;
  const magnitude = bits[0]! & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : EXPONENT);
  if (magnitude >= 0x38800000) {
    // The carry of the rounding may run into the exponent, which is then right as well, up to infinity.
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Subnormal: float32 numbers from 0.5 to 1 lie 2^-24 apart, as halves do here, so the addition does the rounding.
  float[0] = Math.abs(value) + 0.5;
  return sign | (bits[0]! - 0x3f000000);
}

/** Whether the word is a number, that is neither infinite nor NaN. */
export const isFiniteFloat16 = (word: number): boolean => (word & EXPONENT) !== EXPONENT;

/** The value of every word: FLOAT16_VALUES[word]. */
export const FLOAT16_VALUES: Float32Array = Float32Array.from({ length: 0x10000 }, (_, word) => float16Value(word));

function float16Value(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word & EXPONENT) >>> 10;
  const fraction = word & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
