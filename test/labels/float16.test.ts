import { expect, test } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { FLOAT16_VALUES, isFiniteFloat16, toFloat16 } from '../../trainer/labels/float16.ts';

test('known numbers have the words of IEEE 754', () => {
  const known: [number, number][] = [
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [0.5, 0x3800],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [1e9, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.001, 0x0001],
    [1e-30, 0x0000],
    [Number.NaN, 0x7e00],
  ];
  for (const [value, word] of known) expect([value, toFloat16(value)]).toEqual([value, word]);
});

test('every word but NaN comes back from its value', () => {
  for (let word = 0; word < 0x10000; word++)
    if (!Number.isNaN(FLOAT16_VALUES[word])) expect(toFloat16(FLOAT16_VALUES[word]!)).toBe(word);
  expect([0x3c00, 0x7bff, 0x7c00, 0xfc00, 0x7e00].map(isFiniteFloat16)).toEqual([true, true, false, false, false]);
});

test('halfway between two words the even one is taken, beside it the nearer one', () => {
  for (let word = 0; word < 0x7bff; word++) {
    const [low, high] = [FLOAT16_VALUES[word]!, FLOAT16_VALUES[word + 1]!];
    const middle = (low + high) / 2;
    const even = word % 2 === 0 ? word : word + 1;
    const step = (high - low) / 1024;
    const found = [middle - step, middle, middle + step, -middle].map(toFloat16);
    expect(found).toEqual([word, even, word + 1, even | 0x8000]);
  }
});

test('the error is at most 2^-11 of the number, or 2^-25 for small ones', () => {
  const rng = Rng.seeded(1);
  for (let i = 0; i < 20_000; i++) {
    const value = Math.fround(2 ** (-30 * rng.uniform()));
    const error = Math.abs(FLOAT16_VALUES[toFloat16(value)]! - value);
    expect(error).toBeLessThanOrEqual(Math.max(value * 2 ** -11, 2 ** -25));
  }
});
