import { expect, test } from 'vitest';
import { scoreLogits } from '../../trainer/train/score-logits.ts';

const score = (row: number[], label: number) => scoreLogits(Float32Array.from(row), Int32Array.of(label));

test('counts first and fifth places and sums the cross-entropy', () => {
  const row = [6, 5, 4, 3, 2, 1, 0];
  expect(score(row, 0)).toMatchObject({ top1: 1, top5: 1 });
  expect(score(row, 4)).toMatchObject({ top1: 0, top5: 1 });
  expect(score(row, 5)).toMatchObject({ top1: 0, top5: 0 });
  const sum = row.reduce((s, x) => s + Math.exp(x), 0);
  expect(score(row, 3).loss).toBeCloseTo(Math.log(sum) - 3, 12);
});

test('adds up over rows', () => {
  const both = scoreLogits(Float32Array.from([0, 1, 2, 5, 1, 1]), Int32Array.of(2, 1));
  expect(both).toMatchObject({ top1: 1, top5: 2 });
  expect(both.loss).toBeCloseTo(score([0, 1, 2], 2).loss + score([5, 1, 1], 1).loss, 12);
});

test('ties go to the lower index, as with argmax', () => {
  expect(score([1, 1, 0], 0).top1).toBe(1);
  expect(score([1, 1, 0], 1).top1).toBe(0);
});

test('large logits do not overflow, broken ones never score', () => {
  expect(score([1000, 0], 1).loss).toBeCloseTo(1000, 6);
  expect(score([Number.NaN, 1], 1)).toMatchObject({ top1: 0, loss: Number.NaN });
  expect(score([Number.NaN, Number.NaN, 0, 0, 0, 0, 0], 1)).toMatchObject({ top1: 0, top5: 0 });
});
