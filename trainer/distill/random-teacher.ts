/** MEAL V1's ensemble: each batch learns from one teacher, drawn at random. Z. Shen et al., "MEAL", AAAI 2019. */
import type { Tensor1D } from '@tensorflow/tfjs';
import type { Rng } from '../engine/rng.ts';
import { tf } from '../engine/tf.ts';

/**
 * Number of the teacher of a step, drawn with probabilities in proportion to `weights`. A function of the generator's seed and the
 * step alone, so a resumed run draws what it would have drawn.
 */
export function drawTeacher(rng: Rng, step: number, weights: readonly number[]): number {
  const sum = weights.reduce((a, b) => a + b, 0);
  let rest = rng.stream('teacher', step).uniform() * sum;
  for (const [k, weight] of weights.entries()) {
    rest -= weight;
    if (rest < 0) return k;
  }
  return weights.length - 1; // by rounding alone
}

/** 1 for one of `count` teachers and 0 for the others, float32 [count]: an input, so that every step can have another. */
export function oneTeacher(chosen: number, count: number): Tensor1D {
  return tf.tensor1d(Float32Array.from({ length: count }, (_, k) => (k === chosen ? 1 : 0)));
}
