/**
 * Both passes of Pillow's resize: sums of bytes and 22-bit weights, rounded to bytes after each. Tables as resample.ts makes them:
 * for each output position the first input position, how many, and their weights, `taps` apart.
 */
const PRECISION_BITS: i32 = 22;
const HALF: i32 = 1 << (PRECISION_BITS - 1);

@inline
function toBytes(sum: v128): v128 {
  const words = i16x8.narrow_i32x4_s(i32x4.shr_s(sum, PRECISION_BITS), i32x4.splat(0));
  return i8x16.narrow_i16x8_u(words, words);
}

/** `rows` lines of RGB; output lines are `count` pixels, from right to left where `mirrored`. */
export function acrossColour(
  source: usize,
  stride: usize,
  rows: i32,
  first: usize,
  counts: usize,
  weights: usize,
  taps: i32,
  count: i32,
  mirrored: bool,
  target: usize,
): void {
  const step: i32 = mirrored ? -1 : 1;
  for (let y = 0; y < rows; y++) {
    const line = source + <usize>y * stride;
    let x: i32 = mirrored ? count - 1 : 0;
    for (let i = 0; i < count; i++, x += step) {
      let at = line + <usize>load<i32>(first + (<usize>x << 2)) * 3;
      let weight = weights + <usize>(x * taps) * 4;
      const end = weight + (<usize>load<i32>(counts + (<usize>x << 2)) << 2);
      let sum = i32x4.splat(HALF);
      for (; weight < end; weight += 4, at += 3) {
        const pixel = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
        sum = i32x4.add(sum, i32x4.mul(pixel, v128.load32_splat(weight)));
      }
      // Four bytes for a pixel of three: the next one overwrites the fourth.
      v128.store_lane<i32>(target, toBytes(sum), 0);
      target += 3;
    }
  }
}

/** The same for one channel. */
export function acrossGrey(
  source: usize,
  stride: usize,
  rows: i32,
  first: usize,
  counts: usize,
  weights: usize,
  taps: i32,
  count: i32,
  mirrored: bool,
  target: usize,
): void {
  const step: i32 = mirrored ? -1 : 1;
  for (let y = 0; y < rows; y++) {
    const line = source + <usize>y * stride;
    let x: i32 = mirrored ? count - 1 : 0;
    for (let i = 0; i < count; i++, x += step) {
      let at = line + <usize>load<i32>(first + (<usize>x << 2));
      let weight = weights + <usize>(x * taps) * 4;
      const end = weight + (<usize>load<i32>(counts + (<usize>x << 2)) << 2);
      let sum = HALF;
      for (; weight < end; weight += 4, at++) sum += <i32>load<u8>(at) * load<i32>(weight);
      sum >>= PRECISION_BITS;
      store<u8>(target++, sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
  }
}

/** `count` output lines of `length` bytes from lines of which the first is input line `top`. */
export function down(
  source: usize,
  length: usize,
  top: i32,
  first: usize,
  counts: usize,
  weights: usize,
  taps: i32,
  count: i32,
  target: usize,
): void {
  for (let y = 0; y < count; y++) {
    const lines = source + <usize>(load<i32>(first + (<usize>y << 2)) - top) * length;
    const begin = weights + <usize>(y * taps) * 4;
    const end = begin + (<usize>load<i32>(counts + (<usize>y << 2)) << 2);
    for (let i: usize = 0; i < length; i += 8) {
      let low = i32x4.splat(HALF);
      let high = low;
      let at = lines + i;
      for (let weight = begin; weight < end; weight += 4, at += length) {
        const words = v128.load8x8_u(at);
        const factor = v128.load32_splat(weight);
        low = i32x4.add(low, i32x4.mul(i32x4.extend_low_i16x8_u(words), factor));
        high = i32x4.add(high, i32x4.mul(i32x4.extend_high_i16x8_u(words), factor));
      }
      const words = i16x8.narrow_i32x4_s(i32x4.shr_s(low, PRECISION_BITS), i32x4.shr_s(high, PRECISION_BITS));
      // What goes beyond the line is overwritten by the next one, or lies in the slack behind the last.
      v128.store_lane<i64>(target + i, i8x16.narrow_i16x8_u(words, words), 0);
    }
    target += length;
  }
}

/** One channel to three equal ones. */
export function spread(source: usize, count: i32, target: usize): void {
  for (let i = 0; i < count; i++, target += 3) {
    const value = load<u8>(source + <usize>i);
    store<u8>(target, value);
    store<u8>(target, value, 1);
    store<u8>(target, value, 2);
  }
}
