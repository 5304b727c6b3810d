/** The synthetic case of MEAL V2's losses, computed in float64 with PyTorch: 8 classes, 2 images, 2 teachers, discriminator 8-4-2-2. */
import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import {
  binaryCrossEntropyWithLogits,
  createDiscriminator,
  type Discriminator,
  discriminate,
  discriminationLoss,
  discriminatorLoss,
  discriminatorWidths,
} from '../../trainer/distill/discriminator.ts';
import { hardCrossEntropy, softCrossEntropy } from '../../trainer/distill/soft-cross-entropy.ts';
import { meanLogits, softLabels } from '../../trainer/distill/soft-labels.ts';
import { capture } from '../../trainer/engine/capture.ts';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { on } from '../support/backends.ts';
import { exampleDiscriminator, STUDENT, TEACHERS } from '../support/synthetic-case.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const TOLERANCE = 1e-6;
const LN2 = Math.log(2);

/** Every number of the synthetic case, by name. */
const EXPECTED: Record<string, number[]> = {
  softLabel: [0.015897995, 0.124063088, 0.031926256, 0.252118384, 0.067819837, 0.137400499, 0.150838283, 0.219935658],
  meanLogits: [-1.55, 0.5, -0.9, 1.15, -0.25, 0.15, 0.4, 0.8],
  similarity: [2.7160968929],
  divergence: [0.8208627967],
  outputs: [0, 0.212, 0.184, 0.798, 0, 0.242, 0.0616, 0.3156],
  discrimination: [0.7272201255],
  similarityGradient: [0.00195086],
  gradients: [0.000845255, 0.041696433],
  discriminatorGradients: [0.0520861235, 0.0471267409],
};

/** The same numbers, computed by us from logits. */
function computeCase(student: Variable, discriminator: Discriminator, teachers: Tensor2D[]): Record<string, Tensor> {
  const parameters = new Map([['student', student], ...discriminator.parameters]);
  const logits = student as unknown as Tensor2D;
  const [q, mean] = [softLabels(teachers), meanLogits(teachers)];
  const alone = computeGradients(parameters, () => ({ loss: softCrossEntropy(logits, q) }));
  expect(alone.gradients.get('fc1.weight')).toBeNull();
  const both = computeGradients(parameters, () => {
    const outputs = discriminate(discriminator, logits, mean);
    const discrimination = discriminationLoss(outputs);
    return { loss: softCrossEntropy(logits, q).add(discrimination) as Scalar, outputs, discrimination };
  });
  const at = (gradients: Map<string, Tensor | null>, i: number, c: number) =>
    gradients.get('student')!.slice([i, c], [1, 1]).reshape([1]);
  const total = (name: string) => both.gradients.get(name)!.sum().reshape([1]);
  return {
    softLabel: q.slice([0, 0], [1, 8]),
    meanLogits: mean.slice([0, 0], [1, 8]),
    similarity: alone.values.loss,
    divergence: alone.values.loss.add(q.mul(q.log()).sum().div(2)),
    outputs: both.values.outputs,
    discrimination: both.values.discrimination,
    similarityGradient: at(alone.gradients, 0, 0),
    gradients: tf.concat([at(both.gradients, 0, 0), at(both.gradients, 1, 7)]),
    discriminatorGradients: tf.concat([total('fc1.weight'), total('fc3.weight')]),
  };
}

test.each([
  ['op by op', backend],
  ['captured', 'captured'],
  ['by plain TensorFlow.js', 'cpu'],
])('%s: soft labels, losses and gradients of the synthetic case', async (_, form) => {
  await on(form === 'captured' ? backend : form, () => {
    const discriminator = exampleDiscriminator();
    const student = tf.tidy(() => tf.variable(tf.tensor2d(STUDENT)));
    const inputs = { first: tf.tensor2d(TEACHERS[0]), second: tf.tensor2d(TEACHERS[1]) };
    const compute = ({ first, second }: typeof inputs) =>
      tf.tidy(() => computeCase(student as never, discriminator, [first, second]) as never) as Record<string, Tensor>;
    const variables = [student as never, ...discriminator.parameters.values()];
    const captured = form === 'captured' ? capture(compute, { inputs, variables }) : null;
    const results = captured === null ? compute(inputs) : captured.run(inputs);
    for (const [name, values] of Object.entries(EXPECTED)) expectClose(results[name]!.dataSync(), values, TOLERANCE);
    captured?.dispose();
    discriminator.dispose();
    tf.dispose([inputs, results, student] as never);
  });
});

test('an ensemble of no teachers is refused', () => {
  expect(() => softLabels([])).toThrow('at least one teacher');
});

test('the gradient of the whole loss is that of finite differences', () => {
  const discriminator = exampleDiscriminator();
  tf.tidy(() => {
    const q = softLabels(TEACHERS.map((logits) => tf.tensor2d(logits)));
    const mean = meanLogits(TEACHERS.map((logits) => tf.tensor2d(logits)));
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
