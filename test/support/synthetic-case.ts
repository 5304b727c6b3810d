/**
 * The synthetic case of MEAL V2's losses: 8 classes, 2 images, 2 teachers, discriminator 8-4-2-2. The expected numbers that tests
 * hold against it were computed in float64 with PyTorch.
 */
import type { Scalar, Tensor2D } from '@tensorflow/tfjs';
import { createDiscriminator, type Discriminator } from '../../trainer/distill/discriminator.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import type { StateDict } from '../../trainer/weights/state-dict.ts';

/** grid[i][j] = (((i a + j b) mod m) - floor(m / 2)) scale, 2 x 8. */
function grid(a: number, b: number, m: number, scale: number): number[][] {
  return [0, 1].map((i) => Array.from({ length: 8 }, (_, j) => (((i * a + j * b) % m) - Math.floor(m / 2)) * scale));
}
export const STUDENT = grid(5, 3, 7, 0.5);
export const TEACHERS = [grid(4, 5, 9, 0.4), grid(2, 7, 11, 0.3)] as const;

/** Weight k: W[o][i] = (((7 o + 3 i + k) mod 5) - 1) 0.2, bias[o] = 0.05 (o + 1). The caller's. */
export function exampleDiscriminator(options = {}): Discriminator {
  const discriminator = createDiscriminator(8, Rng.seeded(1), options);
  const state: StateDict = new Map();
  for (let k = 0; k < 3; k++) {
    const [inputs, outputs] = [discriminator.widths[k]!, discriminator.widths[k + 1]!];
    const weight = Float32Array.from({ length: outputs * inputs }, (_, n) => {
      const [o, i] = [Math.floor(n / inputs), n % inputs];
      return (((7 * o + 3 * i + k) % 5) - 1) * 0.2;
    });
    const bias = Float32Array.from({ length: outputs }, (_, o) => 0.05 * (o + 1));
    state.set(`fc${k + 1}.weight`, { dtype: 'F32', shape: [outputs, inputs], data: weight });
    state.set(`fc${k + 1}.bias`, { dtype: 'F32', shape: [outputs], data: bias });
  }
  discriminator.loadStateDict(state);
  return discriminator;
}

/** At the student's logits: d(loss)/d(logits) by differences; float32 forbids smaller steps. */
export function byDifferences(loss: (logits: Tensor2D) => Scalar, step = 1e-2): number[] {
  return STUDENT.flat().map((_, k) => {
    const shifted = (by: number) => {
      const values = STUDENT.flat().map((v, i) => (i === k ? v + by : v));
      return loss(tf.tensor2d(values, [2, 8])).dataSync()[0]!;
    };
    return (shifted(step) - shifted(-step)) / (2 * step);
  });
}

/** The same by the tape. */
export const gradientOf = (loss: (logits: Tensor2D) => Scalar) =>
  tf
    .grad((s) => loss(s as Tensor2D))(tf.tensor2d(STUDENT))
    .dataSync();
