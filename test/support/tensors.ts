/** What numeric tests share: TensorFlow loaded once per file, and every test answerable for the tensors that it leaves. */
import { afterEach, beforeEach, expect } from 'vitest';
import { loadRuntime, type Runtime } from '../../trainer/engine/runtime.ts';
import { tf } from '../../trainer/engine/tf.ts';

/** Loads TensorFlow, and fails each test of this file that ends with more or fewer tensors than it began with. */
export async function setUpTensorFlow(): Promise<Runtime> {
  const runtime = await loadRuntime();
  let before = 0;
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors, 'tensors after the test').toBe(before);
  });
  return runtime;
}

/** Fails unless every number lies within `tolerance` of its counterpart. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= worst)) {
      worst = difference;
      at = i;
    }
  }
  expect(worst, `largest difference, at ${at}: ${actual[at]} against ${expected[at]}`).toBeLessThanOrEqual(tolerance);
}
