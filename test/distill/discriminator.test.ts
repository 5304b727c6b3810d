/** The discriminator's choices: what the student is given of its gradient, its last ReLU, its accuracy. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import {
  type Discriminator,
  discriminate,
  discriminationLoss,
  discriminatorAccuracy,
} from '../../trainer/distill/discriminator.ts';
import { meanLogits } from '../../trainer/distill/soft-labels.ts';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { on } from '../support/backends.ts';
import { byDifferences, exampleDiscriminator, gradientOf, STUDENT, TEACHERS } from '../support/synthetic-case.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const BACKENDS = [...new Set([backend, 'cpu'])];
const teachers = () => TEACHERS.map((logits) => tf.tensor2d(logits));

describe.each(BACKENDS)("the discriminator's gradient, on %s", (name) => {
  /** Its loss, what the student gets and what its own weights get. */
  function gradientsIn(
    mode: Parameters<typeof discriminate>[3],
    discriminator: Discriminator,
  ): Record<string, number[]> {
    const student = tf.variable(tf.tensor2d(STUDENT));
    const parameters = new Map([['student', student as never], ...discriminator.parameters]);
    const { values, gradients } = computeGradients(parameters, () => ({
      loss: discriminationLoss(
        discriminate(discriminator, student as unknown as Tensor2D, meanLogits(teachers()), mode),
      ),
    }));
    const numbers: [string, Tensor][] = [['loss', values.loss], ...(gradients as Map<string, Tensor>)];
    const read = Object.fromEntries(numbers.map(([key, tensor]) => [key, [...tensor.dataSync()]]));
    student.dispose();
    return read;
  }

  test('reversal turns the student’s part round, detached leaves it none; the discriminator learns alike', () =>
    on(name, () => {
      const discriminator = exampleDiscriminator();
      tf.tidy(() => {
        const { student: cooperative, ...own } = gradientsIn('cooperative', discriminator);
        expect(Math.max(...cooperative!.map(Math.abs))).toBeGreaterThan(0.01);
        const { student: reversed, ...ownOfReversed } = gradientsIn('reversal', discriminator);
        expect(reversed).toEqual(cooperative!.map((g) => (g === 0 ? expect.closeTo(0) : -g)));
        const { student: detached, ...ownOfDetached } = gradientsIn('detached', discriminator);
        expect(detached).toEqual(Array(16).fill(0));
        expect(ownOfReversed).toEqual(own);
        expect(ownOfDetached).toEqual(own);
      });
      discriminator.dispose();
    }));

  test('cooperative is that of differences, reversal its opposite', () =>
    on(name, () => {
      const discriminator = exampleDiscriminator();
      tf.tidy(() => {
        const mean = meanLogits(teachers());
        const loss = (s: Tensor2D) => discriminationLoss(discriminate(discriminator, s, mean));
        const numeric = byDifferences(loss);
        expectClose(gradientOf(loss), numeric, 1e-4);
        const reversed = gradientOf((s) => discriminationLoss(discriminate(discriminator, s, mean, 'reversal')));
        expectClose(
          reversed,
          numeric.map((g) => -g),
          1e-4,
        );
      });
      discriminator.dispose();
    }));
});

test('without its final ReLU the discriminator has negative outputs too, elsewhere the same', () => {
  const [withRelu, without] = [exampleDiscriminator(), exampleDiscriminator({ finalRelu: false })];
  tf.tidy(() => {
    const rows = tf.concat2d([tf.tensor2d(STUDENT), tf.tensor2d(TEACHERS[0])], 0).mul(3) as Tensor2D;
    const [cut, free] = [withRelu.forward(rows).dataSync(), without.forward(rows).dataSync()];
    expect(Math.min(...free)).toBeLessThan(0);
    expectClose(
      cut,
      free.map((z) => Math.max(z, 0)),
      1e-7,
    );
  });
  withRelu.dispose();
  without.dispose();
});

test('the discriminator’s accuracy is the share of rows on the right side; dead outputs are chance', () => {
  tf.tidy(() => {
    const accuracy = (rows: number[][]) => discriminatorAccuracy(tf.tensor2d(rows)).dataSync()[0];
    // Two of the student, two of the teachers.
    expect(
      accuracy([
        [2, 1],
        [1, 2],
        [0, 1],
        [0, 3],
      ]),
    ).toBe(75);
    expect(
      accuracy([
        [1, 0],
        [1, 0],
        [0, 1],
        [0, 1],
      ]),
    ).toBe(100);
    expect(
      accuracy([
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ]),
    ).toBe(50);
  });
});
