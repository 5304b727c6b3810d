import { describe, expect, test } from 'vitest';
import { requireFinite } from '../../trainer/train/divergence.ts';
import type { StateDict } from '../../trainer/weights/state-dict.ts';

const state = (...data: number[]): StateDict =>
  new Map([
    ['count', { dtype: 'I64', shape: [], data: BigInt64Array.of(1n) }],
    ['fc.weight', { dtype: 'F32', shape: [data.length], data: Float32Array.from(data) }],
  ]);

describe('what a checkpoint is made of', () => {
  test('may hold any number', () => {
    expect(() => requireFinite(state(0, -3.4e38, 1e-45), 7)).not.toThrow();
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('but not %s', (value) => {
    expect(() => requireFinite(state(0, value), 7)).toThrow(
      expect.objectContaining({
        failureCode: 'diverged',
        message: expect.stringMatching(`weight fc.weight became ${value} at step 7`),
      }),
    );
  });
});
