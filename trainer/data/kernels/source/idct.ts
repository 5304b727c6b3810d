/**
 * The inverse DCT of 8 x 8 coefficients as libjpeg's accurate integer method computes it (jidctint: C. Loeffler, A. Ligtenberg,
 * G. Moschytz, "Practical Fast 1-D DCT Algorithms with 11 Multiplications", 1989), four columns at a time.
 */
const CONST_BITS: i32 = 13;
const PASS1_BITS: i32 = 2;

const between = memory.data(256, 16);
const turned = memory.data(128, 16);

@inline
function times(a: v128, factor: i32): v128 {
  return i32x4.mul(a, i32x4.splat(factor));
}

/** One dimension: rows of eight words at `source` to rows of eight doubled words at `between`. */
@inline
function transform(source: usize, shift: i32): void {
  const rounding = i32x4.splat(1 << (shift - 1));
  for (let half: usize = 0; half < 2; half++) {
    const at = source + (half << 3);
    const even0 = v128.load16x4_s(at, 0);
    const even1 = v128.load16x4_s(at, 64);
    const even2 = v128.load16x4_s(at, 32);
    const even3 = v128.load16x4_s(at, 96);
    const common = times(i32x4.add(even2, even3), 4433);
    const e2 = i32x4.add(common, times(even3, -15137));
    const e3 = i32x4.add(common, times(even2, 6270));
    const e0 = i32x4.add(i32x4.shl(i32x4.add(even0, even1), CONST_BITS), rounding);
    const e1 = i32x4.add(i32x4.shl(i32x4.sub(even0, even1), CONST_BITS), rounding);
    const a0 = i32x4.add(e0, e3);
    const a3 = i32x4.sub(e0, e3);
    const a1 = i32x4.add(e1, e2);
    const a2 = i32x4.sub(e1, e2);

    const odd0 = v128.load16x4_s(at, 112);
    const odd1 = v128.load16x4_s(at, 80);
    const odd2 = v128.load16x4_s(at, 48);
    const odd3 = v128.load16x4_s(at, 16);
    const sum02 = i32x4.add(odd0, odd2);
    const sum13 = i32x4.add(odd1, odd3);
    const z5 = times(i32x4.add(sum02, sum13), 9633);
    const z1 = times(i32x4.add(odd0, odd3), -7373);
    const z2 = times(i32x4.add(odd1, odd2), -20995);
    const z3 = i32x4.add(times(sum02, -16069), z5);
    const z4 = i32x4.add(times(sum13, -3196), z5);
    const o0 = i32x4.add(i32x4.add(times(odd0, 2446), z1), z3);
    const o1 = i32x4.add(i32x4.add(times(odd1, 16819), z2), z4);
    const o2 = i32x4.add(i32x4.add(times(odd2, 25172), z2), z3);
    const o3 = i32x4.add(i32x4.add(times(odd3, 12299), z1), z4);

    const to = between + (half << 4);
    v128.store(to, i32x4.shr_s(i32x4.add(a0, o3), shift), 0);
    v128.store(to, i32x4.shr_s(i32x4.add(a1, o2), shift), 32);
    v128.store(to, i32x4.shr_s(i32x4.add(a2, o1), shift), 64);
    v128.store(to, i32x4.shr_s(i32x4.add(a3, o0), shift), 96);
    v128.store(to, i32x4.shr_s(i32x4.sub(a3, o0), shift), 128);
    v128.store(to, i32x4.shr_s(i32x4.sub(a2, o1), shift), 160);
    v128.store(to, i32x4.shr_s(i32x4.sub(a1, o2), shift), 192);
    v128.store(to, i32x4.shr_s(i32x4.sub(a0, o3), shift), 224);
  }
}

@inline
function row(index: usize): v128 {
  const at = between + (index << 5);
  return i16x8.narrow_i32x4_s(v128.load(at, 0), v128.load(at, 16));
}

@inline
function lowWords(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
@inline
function highWords(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
@inline
function lowPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}
@inline
function highPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}
@inline
function lowHalf(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 0, 2);
}
@inline
function highHalf(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 1, 3);
}

/** `between`, rows for columns, as words at `turned`. */
@inline
function turn(): void {
  const r0 = row(0), r1 = row(1), r2 = row(2), r3 = row(3), r4 = row(4), r5 = row(5), r6 = row(6), r7 = row(7);
  const a0 = lowWords(r0, r1), a1 = highWords(r0, r1), a2 = lowWords(r2, r3), a3 = highWords(r2, r3);
  const a4 = lowWords(r4, r5), a5 = highWords(r4, r5), a6 = lowWords(r6, r7), a7 = highWords(r6, r7);
  const b0 = lowPairs(a0, a2), b1 = highPairs(a0, a2), b2 = lowPairs(a1, a3), b3 = highPairs(a1, a3);
  const b4 = lowPairs(a4, a6), b5 = highPairs(a4, a6), b6 = lowPairs(a5, a7), b7 = highPairs(a5, a7);
  v128.store(turned, lowHalf(b0, b4), 0);
  v128.store(turned, highHalf(b0, b4), 16);
  v128.store(turned, lowHalf(b1, b5), 32);
  v128.store(turned, highHalf(b1, b5), 48);
  v128.store(turned, lowHalf(b2, b6), 64);
  v128.store(turned, highHalf(b2, b6), 80);
  v128.store(turned, lowHalf(b3, b7), 96);
  v128.store(turned, highHalf(b3, b7), 112);
}

/** 64 dequantised words at `coefficients` to 8 x 8 samples at `target`, lines `stride` apart. */
export function inverseDct(coefficients: usize, target: usize, stride: usize): void {
  transform(coefficients, CONST_BITS - PASS1_BITS);
  turn();
  transform(turned, CONST_BITS + PASS1_BITS + 3);
  turn();
  const middle = i16x8.splat(128);
  for (let y: usize = 0; y < 8; y += 2) {
    const upper = i16x8.add(v128.load(turned + (y << 4)), middle);
    const lower = i16x8.add(v128.load(turned + (y << 4), 16), middle);
    const bytes = i8x16.narrow_i16x8_u(upper, lower);
    v128.store_lane<i64>(target, bytes, 0);
    v128.store_lane<i64>(target + stride, bytes, 1);
    target += stride << 1;
  }
}

/** The same where only the first coefficient is not 0. */
export function inverseDctFlat(first: i32, target: usize, stride: usize): void {
  let value = (((first << PASS1_BITS) + (1 << (PASS1_BITS + 2))) >> (PASS1_BITS + 3)) + 128;
  value = value < 0 ? 0 : value > 255 ? 255 : value;
  const bytes = <i64>value * 0x0101010101010101;
  for (let y = 0; y < 8; y++, target += stride) store<i64>(target, bytes);
}
