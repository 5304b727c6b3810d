/** The method's choices, each against what its mathematics says. */
import type { Tensor2D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { drawTeacher, oneTeacher } from '../../trainer/distill/random-teacher.ts';
import { hardCrossEntropy, similarityLoss, softCrossEntropy } from '../../trainer/distill/soft-cross-entropy.ts';
import { meanLogits, sharesOf, softened, softLabels, type TeacherShares } from '../../trainer/distill/soft-labels.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { on } from '../support/backends.ts';
import { byDifferences, gradientOf, STUDENT, TEACHERS } from '../support/synthetic-case.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const BACKENDS = [...new Set([backend, 'cpu'])];
const MEANS = ['probability', 'logit'] as const;
const teachers = () => TEACHERS.map((logits) => tf.tensor2d(logits));

/** In double precision. */
const softmax = (row: number[], temperature = 1) => {
  const exps = row.map((x) => Math.exp(x / temperature));
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((x) => x / sum);
};
const averaged = (rows: number[][], shares: number[]) =>
  rows[0]!.map((_, c) => rows.reduce((s, row, k) => s + shares[k]! * row[c]!, 0));

describe.each(BACKENDS)('the ensemble, on %s', (name) => {
  const inTidy = (work: () => void) => on(name, () => void tf.tidy(work));

  test('of logits is the softmax of their mean, of probabilities the mean of their softmaxes; weights count', () =>
    inTidy(() => {
      for (const [weights, shares] of [
        [
          [1, 1],
          [0.5, 0.5],
        ],
        [
          [3, 1],
          [0.75, 0.25],
        ],
        [
          [0.2, 0.6],
          [0.25, 0.75],
        ],
      ] as const)
        for (const temperature of [1, 3])
          for (const row of [0, 1]) {
            const options = { temperature, shares: sharesOf(weights) };
            const rows = TEACHERS.map((logits) => logits[row]!);
            const ofLogits = softLabels(teachers(), { ...options, mean: 'logit' }).arraySync()[row]!;
            expectClose(ofLogits, softmax(averaged(rows, [...shares]), temperature), 1e-6);
            const ofProbabilities = softLabels(teachers(), { ...options, mean: 'probability' }).arraySync()[row]!;
            expectClose(
              ofProbabilities,
              averaged(
                rows.map((r) => softmax(r, temperature)),
                [...shares],
              ),
              1e-6,
            );
            expectClose(meanLogits(teachers(), options.shares).arraySync()[row]!, averaged(rows, [...shares]), 1e-6);
          }
    }));

  test.each(MEANS)('of %s with all the weight on one teacher is that teacher, bit by bit', (mean) =>
    inTidy(() => {
      for (const k of [0, 1]) {
        const alone = softened(teachers()[k]!, 2).dataSync();
        for (const shares of [[1 - k, k], oneTeacher(k, 2)] as TeacherShares[]) {
          expect(softLabels(teachers(), { mean, temperature: 2, shares }).dataSync()).toEqual(alone);
          expect(meanLogits(teachers(), shares).dataSync()).toEqual(teachers()[k]!.dataSync());
        }
      }
    }),
  );

  test.each(MEANS)('of %s knows nothing at high temperature, and only the first class at a low one', (mean) =>
    inTidy(() => {
      expectClose(softLabels(teachers(), { mean, temperature: 1e6 }).dataSync(), Array(16).fill(1 / 8), 1e-6);
      const cold = softLabels(teachers().slice(0, 1), { mean, temperature: 1e-3 }).arraySync();
      expect(cold.map((row) => Math.max(...row))).toEqual([1, 1]);
      expect(cold.map((row) => row.indexOf(1))).toEqual(TEACHERS[0].map((row) => row.indexOf(Math.max(...row))));
    }),
  );
});

test('equal weights are none, and each teacher needs one', () => {
  expect(sharesOf([2, 2, 2])).toBeNull();
  expect(sharesOf([1])).toBeNull();
  expect(sharesOf([1, 4])).toEqual([0.2, 0.8]);
  tf.tidy(() => {
    const taught = teachers();
    expect(() => softLabels(taught, { shares: [1, 1, 1] })).toThrow('2 teachers have 3 weights');
  });
});

describe('the similarity loss at temperature T', () => {
  const q = (temperature: number) => softLabels(teachers(), { temperature });

  test('is T² times the cross-entropy of the softened; at 1 it is the plain one', () => {
    tf.tidy(() => {
      const student = tf.tensor2d(STUDENT);
      expect(similarityLoss(student, q(1)).dataSync()).toEqual(softCrossEntropy(student, q(1)).dataSync());
      const target = q(4).arraySync();
      const expected = STUDENT.map((row, i) =>
        softmax(row, 4).reduce((s, p, c) => s - target[i]![c]! * Math.log(p), 0),
      );
      expect(similarityLoss(student, q(4), 4).dataSync()[0]).toBeCloseTo((16 * (expected[0]! + expected[1]!)) / 2, 4);
    });
  });

  test.each([0.5, 2, 10])(
    'T = %d: the gradient is T (softmax(s / T) - q) / N, and that of differences',
    (temperature) => {
      tf.tidy(() => {
        const target = q(temperature);
        const loss = (s: Tensor2D) => similarityLoss(s, target, temperature);
        const rows = target.arraySync();
        const formula = STUDENT.flatMap((row, i) =>
          softmax(row, temperature).map((p, c) => (temperature * (p - rows[i]![c]!)) / 2),
        );
        expectClose(gradientOf(loss), formula, 1e-5);
        expectClose(gradientOf(loss), byDifferences(loss), 2e-3 * temperature);
      });
    },
  );

  test('at high T the gradient is that of matching centred logits, (s - t) / (N C): the T² keeps it from vanishing', () => {
    tf.tidy(() => {
      const centred = (row: number[]) => row.map((x) => x - row.reduce((a, b) => a + b) / 8);
      const mean = meanLogits(teachers()).arraySync();
      const expected = STUDENT.flatMap((row, i) => centred(row).map((s, c) => (s - centred(mean[i]!)[c]!) / 16));
      const target = q(200);
      expectClose(
        gradientOf((s) => similarityLoss(s, target, 200)),
        expected,
        2e-3,
      );
    });
  });
});

test('label smoothing e takes the label for (1 - e) one-hot + e / C, as PyTorch does', () => {
  tf.tidy(() => {
    const [labels, e] = [[2, 5], 0.1];
    const loss = (s: Tensor2D) => hardCrossEntropy(s, tf.tensor1d(labels, 'int32'), e);
    const target = (i: number, c: number) => (c === labels[i] ? 1 - e : 0) + e / 8;
    const expected = STUDENT.map((row, i) => softmax(row).reduce((s, p, c) => s - target(i, c) * Math.log(p), 0));
    expect(loss(tf.tensor2d(STUDENT)).dataSync()[0]).toBeCloseTo((expected[0]! + expected[1]!) / 2, 5);
    expectClose(
      gradientOf(loss),
      STUDENT.flatMap((row, i) => softmax(row).map((p, c) => (p - target(i, c)) / 2)),
      1e-6,
    );
    const plain = hardCrossEntropy(tf.tensor2d(STUDENT), tf.tensor1d(labels, 'int32'));
    expect(hardCrossEntropy(tf.tensor2d(STUDENT), tf.tensor1d(labels, 'int32'), 0).dataSync()).toEqual(
      plain.dataSync(),
    );
  });
});

describe('a random teacher', () => {
  const draws = (seed: number, weights: number[], count = 5000) =>
    Array.from({ length: count }, (_, step) => drawTeacher(Rng.seeded(seed), step, weights));

  test('is a function of seed and step, whatever was drawn before', () => {
    const rng = Rng.seeded(7);
    rng.uniform();
    const [some, others] = [draws(7, [1, 1], 64), draws(8, [1, 1], 64)];
    expect([63, 5, 0].map((step) => drawTeacher(rng, step, [1, 1]))).toEqual([some[63], some[5], some[0]]);
    expect(others).not.toEqual(some);
  });

  test.each([{ weights: [1, 1] }, { weights: [1, 2, 2] }, { weights: [5] }])(
    'of $weights is drawn as often as its weight says',
    ({ weights }) => {
      const drawn = draws(3, weights);
      const sum = weights.reduce((a, b) => a + b);
      // Five standard deviations of a share are below 0.036.
      for (const [k, weight] of weights.entries())
        expect(Math.abs(drawn.filter((d) => d === k).length / drawn.length - weight / sum)).toBeLessThan(0.036);
      expect(Math.max(...drawn)).toBe(weights.length - 1);
    },
  );

  test('is an input of ones and zeros', () => {
    const input = oneTeacher(1, 3);
    expect([...input.dataSync()]).toEqual([0, 1, 0]);
    input.dispose();
  });
});
