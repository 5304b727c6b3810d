/** The synthetic case of MEAL V2's losses, computed in float64 with PyTorch: 8 classes, 2 images, 2 teachers, discriminator 8-4-2-2. */
import type { Scalar, Tensor2D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Discriminator } from '../../trainer/distill/discriminator.ts';
import {
  binaryCrossEntropyWithLogits,
  createDiscriminator,
  discriminatorLoss,
  discriminatorWidths,
} from '../../trainer/distill/discriminator.ts';
import { hardCrossEntropy, softCrossEntropy } from '../../trainer/distill/soft-cross-entropy.ts';
import { meanLogits, softLabels } from '../../trainer/distill/soft-labels.ts';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import type { StateDict } from '../../trainer/weights/state-dict.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();
const TOLERANCE = 1e-6;
const LN2 = Math.log(2);

/** grid[i][j] = (((i a + j b) mod m) - floor(m / 2)) scale, 2 x 8. */
function grid(a: number, b: number, m: number, scale: number): number[][] {
  return [0, 1].map((i) => Array.from({ length: 8 }, (_, j) => (((i * a + j * b) % m) - Math.floor(m / 2)) * scale));
}
const STUDENT = grid(5, 3, 7, 0.5);
const TEACHERS = [grid(4, 5, 9, 0.4), grid(2, 7, 11, 0.3)];

function teacherLogits(): Tensor2D[] {
  return TEACHERS.map((logits) => tf.tensor2d(logits));
}

/** Weight k: W[o][i] = (((7 o + 3 i + k) mod 5) - 1) 0.2, bias[o] = 0.05 (o + 1). */
function exampleDiscriminator(): Discriminator {
  const discriminator = createDiscriminator(8, Rng.seeded(1));
  const state: StateDict = new Map();
  for (const [k, [outputs, inputs]] of (
    [
      [4, 8],
      [2, 4],
      [2, 2],
    ] as const
  ).entries()) {
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

test('the soft label is the mean of the softmaxes, the discriminator sees the mean of the logits', () => {
  tf.tidy(() => {
    const q = softLabels(teacherLogits()).arraySync();
    expectClose(
      q[0]!,
      [0.015897995, 0.124063088, 0.031926256, 0.252118384, 0.067819837, 0.137400499, 0.150838283, 0.219935658],
      1e-7,
    );
    expectClose(meanLogits(teacherLogits()).arraySync()[0]!, [-1.55, 0.5, -0.9, 1.15, -0.25, 0.15, 0.4, 0.8], 1e-6);
  });
  expect(() => softLabels([])).toThrow('at least one teacher');
});

test("the similarity loss, and its distance from the teachers' entropy", () => {
  tf.tidy(() => {
    const q = softLabels(teacherLogits());
    const loss = softCrossEntropy(tf.tensor2d(STUDENT), q).dataSync()[0]!;
    expect(Math.abs(loss - 2.7160968929)).toBeLessThan(TOLERANCE);
    const entropy = q.mul(q.log()).sum().div(-2).dataSync()[0]!;
    expect(Math.abs(loss - entropy - 0.8208627967)).toBeLessThan(TOLERANCE);
  });
});

test("the discriminator's outputs and loss", () => {
  const discriminator = exampleDiscriminator();
  tf.tidy(() => {
    const student = tf.tensor2d(STUDENT);
    const mean = meanLogits(teacherLogits());
    expectClose(
      discriminator.forward(tf.concat2d([student, mean], 0)).dataSync(),
      [0, 0.212, 0.184, 0.798, 0, 0.242, 0.0616, 0.3156],
      TOLERANCE,
    );
    const loss = discriminatorLoss(discriminator, student, mean).dataSync()[0]!;
    expect(Math.abs(loss - 0.7272201255)).toBeLessThan(TOLERANCE);
  });
  discriminator.dispose();
});

test('gradients: similarity alone, and the cooperative sum for student and discriminator', () => {
  const discriminator = exampleDiscriminator();
  const student = tf.tidy(() => tf.variable(tf.tensor2d(STUDENT)));
  const parameters = new Map([['student', student as never], ...discriminator.parameters]);
  tf.tidy(() => {
    const logits = student as unknown as Tensor2D;
    const q = softLabels(teacherLogits());
    const mean = meanLogits(teacherLogits());
    const similarity = computeGradients(parameters, () => ({ loss: softCrossEntropy(logits, q) }));
    const alone = similarity.gradients.get('student')!.arraySync() as number[][];
    expect(Math.abs(alone[0]![0]! - 0.00195086)).toBeLessThan(TOLERANCE);
    expect(similarity.gradients.get('fc1.weight')).toBeNull();

    const { gradients } = computeGradients(parameters, () => ({
      loss: softCrossEntropy(logits, q).add(discriminatorLoss(discriminator, logits, mean)) as Scalar,
    }));
    const both = gradients.get('student')!.arraySync() as number[][];
    expect(Math.abs(both[0]![0]! - 0.000845255)).toBeLessThan(TOLERANCE);
    expect(Math.abs(both[1]![7]! - 0.041696433)).toBeLessThan(TOLERANCE);
    const total = (name: string) => gradients.get(name)!.sum().dataSync()[0]!;
    expect(Math.abs(total('fc1.weight') - 0.0520861235)).toBeLessThan(TOLERANCE);
    expect(Math.abs(total('fc3.weight') - 0.0471267409)).toBeLessThan(TOLERANCE);
  });
  student.dispose();
  discriminator.dispose();
});

test('the gradient of the whole loss is that of finite differences', () => {
  const discriminator = exampleDiscriminator();
  tf.tidy(() => {
    const q = softLabels(teacherLogits());
    const mean = meanLogits(teacherLogits());
    const loss = (s: Tensor2D) => softCrossEntropy(s, q).add(discriminatorLoss(discriminator, s, mean)) as Scalar;
    const gradient = tf
      .grad((s) => loss(s as Tensor2D))(tf.tensor2d(STUDENT))
      .dataSync();
    const step = 1e-2; // float32: smaller steps drown in rounding
    const numeric = STUDENT.flat().map((_, k) => {
      const shifted = (by: number) =>
        loss(
          tf.tensor2d(
            STUDENT.flat().map((v, i) => (i === k ? v + by : v)),
            [2, 8],
          ),
        ).dataSync()[0]!;
      return (shifted(step) - shifted(-step)) / (2 * step);
    });
    expectClose(gradient, numeric, 1e-4);
  });
  discriminator.dispose();
});

test('the gradient of the similarity loss is (softmax - q) / N, also for logits where exp overflows', () => {
  tf.tidy(() => {
    const logits = tf.tensor2d([[1000, -1000, 0]]);
    const q = tf.tensor2d([[0.2, 0.3, 0.5]]);
    expect(
      [
        ...tf
          .grad((s) => softCrossEntropy(s as Tensor2D, q))(logits)
          .dataSync(),
      ].map((v) => +v.toFixed(6)),
    ).toEqual([0.8, -0.3, -0.5]);
    expect(softCrossEntropy(logits, q).dataSync()[0]).toBe(0.3 * 2000 + 0.5 * 1000);
  });
});

test('hard labels are soft labels of one class', () => {
  tf.tidy(() => {
    const loss = hardCrossEntropy(
      tf.tensor2d([
        [0, 0],
        [0, 0],
        [20, 0],
      ]),
      tf.tensor1d([0, 1, 0], 'int32'),
    );
    expect(loss.dataSync()[0]).toBeCloseTo((2 * LN2) / 3, 6);
  });
});

describe('discriminator', () => {
  test('is 1000-125-15-2 for ImageNet with 127,047 parameters, and never narrower than 1', () => {
    const discriminator = createDiscriminator(1000, Rng.seeded(1));
    expect(discriminator.widths).toEqual([1000, 125, 15, 2]);
    expect([...discriminator.parameters.values()].reduce((sum, v) => sum + v.size, 0)).toBe(127_047);
    discriminator.dispose();
    expect(discriminatorWidths(64)).toEqual([64, 8, 1, 2]);
    expect(discriminatorWidths(63)).toEqual([63, 31, 15, 2]);
    expect(discriminatorWidths(10)).toEqual([10, 5, 2, 2]);
    expect(discriminatorWidths(2)).toEqual([2, 1, 1, 2]);
    expect(discriminatorWidths(3)).toEqual([3, 1, 1, 2]);
  });

  test('round-trips through its state dict', async () => {
    const [a, b] = [createDiscriminator(10, Rng.seeded(1)), createDiscriminator(10, Rng.seeded(2))];
    const state = await a.toStateDict();
    expect(state.get('fc1.weight')!.shape).toEqual([5, 10]);
    expect(await b.toStateDict()).not.toEqual(state);
    b.loadStateDict(state);
    expect(await b.toStateDict()).toEqual(state);
    a.dispose();
    b.dispose();
  });

  test('its loss is ln 2 with dead outputs and cannot fall below half of that', () => {
    tf.tidy(() => {
      const targets = tf.tensor2d([
        [1, 0],
        [0, 1],
      ]);
      expect(binaryCrossEntropyWithLogits(tf.zeros([2, 2]), targets).dataSync()[0]).toBeCloseTo(LN2, 6);
      const perfect = tf.tensor2d([
        [200, 0],
        [0, 200],
      ]);
      expect(binaryCrossEntropyWithLogits(perfect, targets).dataSync()[0]).toBeCloseTo(LN2 / 2, 6);
    });
  });
});
