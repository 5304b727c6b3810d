/** From the planes of a JPEG to RGB as libjpeg does it: "fancy" upsampling with triangle filters, and JFIF's colour equations. */

@inline
function toBytes8(words: v128): v128 {
  return i8x16.narrow_i16x8_u(words, words);
}

/**
 * Twice as many columns: `count` sums of 16 bits at `sums`, with one more before and after, to 2 count bytes. Even outputs lean
 * on the sum before, odd ones on the one behind.
 */
@inline
function widen(sums: usize, count: i32, evenRounding: i32, oddRounding: i32, shift: i32, target: usize): void {
  const three = i16x8.splat(3);
  for (let i = 0; i < count; i += 8, sums += 16, target += 16) {
    const own = i16x8.mul(v128.load(sums), three);
    const even = i16x8.add(i16x8.add(own, v128.load(sums - 2)), i16x8.splat(<i16>evenRounding));
    const odd = i16x8.add(i16x8.add(own, v128.load(sums, 2)), i16x8.splat(<i16>oddRounding));
    const low = i16x8.shr_u(even, shift);
    const high = i16x8.shl(i16x8.shr_u(odd, shift), 8);
    v128.store(target, v128.or(low, high));
  }
}

/** A line of half the width. `sums` has room for two more words than samples. */
export function upsampleAcross(line: usize, count: i32, sums: usize, target: usize): void {
  const first = sums + 16;
  for (let i = 0; i < count; i += 8) v128.store(first + (<usize>i << 1), v128.load8x8_u(line + <usize>i));
  store<u16>(first - 2, load<u16>(first));
  store<u16>(first + (<usize>count << 1), load<u16>(first + (<usize>(count - 1) << 1)));
  widen(first, count, 1, 2, 2, target);
}

/** A line of half the width and height, three parts `near`, one part `far`. */
export function upsampleBoth(near: usize, far: usize, count: i32, sums: usize, target: usize): void {
  const first = sums + 16;
  const three = i16x8.splat(3);
  for (let i = 0; i < count; i += 8)
    v128.store(
      first + (<usize>i << 1),
      i16x8.add(i16x8.mul(v128.load8x8_u(near + <usize>i), three), v128.load8x8_u(far + <usize>i)),
    );
  store<u16>(first - 2, load<u16>(first));
  store<u16>(first + (<usize>count << 1), load<u16>(first + (<usize>(count - 1) << 1)));
  widen(first, count, 8, 7, 4, target);
}

const ROUND: i32 = 1 << 15;

@inline
function scaled(words: v128, factor: i32): v128 {
  return i32x4.mul(words, i32x4.splat(factor));
}

@inline
function redOrBlue(luma: v128, chroma: v128, factor: i32): v128 {
  const round = i32x4.splat(ROUND);
  const low = i32x4.shr_s(i32x4.add(scaled(i32x4.extend_low_i16x8_s(chroma), factor), round), 16);
  const high = i32x4.shr_s(i32x4.add(scaled(i32x4.extend_high_i16x8_s(chroma), factor), round), 16);
  return toBytes8(i16x8.add(luma, i16x8.narrow_i32x4_s(low, high)));
}

@inline
function green(luma: v128, blue: v128, red: v128): v128 {
  const round = i32x4.splat(ROUND);
  const low = i32x4.add(
    scaled(i32x4.extend_low_i16x8_s(blue), -22554),
    scaled(i32x4.extend_low_i16x8_s(red), -46802),
  );
  const high = i32x4.add(
    scaled(i32x4.extend_high_i16x8_s(blue), -22554),
    scaled(i32x4.extend_high_i16x8_s(red), -46802),
  );
  const words = i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(low, round), 16), i32x4.shr_s(i32x4.add(high, round), 16));
  return toBytes8(i16x8.add(luma, words));
}

/** One line of `count` pixels. Up to 7 pixels more are written. */
export function toRgb(luma: usize, blueness: usize, redness: usize, count: i32, target: usize): void {
  const middle = i16x8.splat(128);
  for (let i: usize = 0; i < <usize>count; i += 8, target += 24) {
    const y = v128.load8x8_u(luma + i);
    const cb = i16x8.sub(v128.load8x8_u(blueness + i), middle);
    const cr = i16x8.sub(v128.load8x8_u(redness + i), middle);
    const r = redOrBlue(y, cr, 91881);
    const b = redOrBlue(y, cb, 116130);
    const g = green(y, cb, cr);
    const rg = v128.shuffle<i8>(r, g, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    v128.store(target, v128.shuffle<i8>(rg, b, 0, 1, 16, 2, 3, 17, 4, 5, 18, 6, 7, 19, 8, 9, 20, 10));
    v128.store_lane<i64>(target + 16, v128.shuffle<i8>(rg, b, 11, 21, 12, 13, 22, 14, 15, 23, 0, 0, 0, 0, 0, 0, 0, 0), 0);
  }
}
