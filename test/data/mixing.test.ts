/** CutMix and Mixup: what is drawn, and what becomes of images and labels. */
import type { Scalar, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { mixImages, overMixedLabels, uploadMix } from '../../trainer/data/mix-images.ts';
import { cutBox, drawBeta, drawMix } from '../../trainer/data/mixing.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { on } from '../support/backends.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const { backend } = await setUpTensorFlow();
const BACKENDS = [...new Set([backend, 'cpu'])];
const CUTMIX = { kind: 'cutmix', alpha: 1, probability: 1 } as const;

describe('a draw', () => {
  test('is a function of seed and step alone', () => {
    const at = (seed: number, step: number) => drawMix(Rng.seeded(seed), step, CUTMIX, 8, 32);
    expect(at(1, 5)).toEqual(at(1, 5));
    expect(at(1, 6)).not.toEqual(at(1, 5));
    expect(at(2, 5)).not.toEqual(at(1, 5));
  });

  test('mixes with the given probability, and each image with one other place of a permutation', () => {
    const rng = Rng.seeded(3);
    const draws = Array.from({ length: 400 }, (_, step) =>
      drawMix(rng, step, { kind: 'mixup', alpha: 1, probability: 0.25 }, 5, 8),
    );
    expect(draws.filter(({ share }) => share < 1).length / 400).toBeCloseTo(0.25, 1);
    for (const { order } of draws) expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test("a CutMix box's share of the image is what its labels' share leaves", () => {
    for (let step = 0; step < 50; step++) {
      const { box, share } = drawMix(Rng.seeded(4), step, CUTMIX, 2, 31);
      const [top, bottom, left, right] = box;
      expect(1 - share).toBeCloseTo(((bottom - top) * (right - left)) / 31 ** 2, 12);
    }
  });

  test("a box's side is floor(side sqrt(1 - share)), its halves rounded down, cut off at the edges", () => {
    // floor(224 sqrt(0.75)) = 193, and half of it 96.
    expect(cutBox(224, 0.25, 112, 100)).toEqual([4, 196, 16, 208]);
    expect(cutBox(224, 0.25, 0, 223)).toEqual([127, 224, 0, 96]);
    expect(cutBox(32, 1, 5, 5)).toEqual([5, 5, 5, 5]);
    expect(cutBox(32, 0, 16, 16)).toEqual([0, 32, 0, 32]);
  });

  test.each([0.2, 1, 4])('shares follow Beta(%d, the same)', (alpha) => {
    const rng = Rng.seeded(9);
    const count = 20_000;
    const draws = Array.from({ length: count }, () => drawBeta(rng, alpha));
    const mean = draws.reduce((a, b) => a + b) / count;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
    expect(draws.every((x) => x >= 0 && x <= 1)).toBe(true);
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.003);
  });
});

describe.each(BACKENDS)('on backend %s', (name) => {
  /** Image i is all i + 1. */
  const images = () =>
    tf.tidy(
      () =>
        tf
          .tensor1d([1, 2, 3])
          .reshape([3, 1, 1, 1])
          .mul(tf.ones([3, 4, 4, 3])) as never,
    ) as Tensor4D;
  const numbersOf = (make: () => Tensor) => tf.tidy(() => [...make().dataSync()] as never) as number[];
  const order = Int32Array.of(1, 2, 0);

  test('CutMix puts the box of the other image in its place and leaves the rest', async () => {
    await on(name, () => {
      const mixed = numbersOf(() => mixImages(images(), 'cutmix', uploadMix({ order, share: 0.5, box: [1, 3, 0, 2] })));
      const expected = [0, 1, 2].flatMap((i) =>
        [0, 1, 2, 3].flatMap((y) =>
          [0, 1, 2, 3].flatMap((x) => Array<number>(3).fill(y >= 1 && y < 3 && x < 2 ? order[i]! + 1 : i + 1)),
        ),
      );
      expect(mixed).toEqual(expected);
    });
  });

  test('Mixup blends in the shares', async () => {
    await on(name, () => {
      const mixed = numbersOf(() => mixImages(images(), 'mixup', uploadMix({ order, share: 0.75, box: [0, 0, 0, 0] })));
      expectClose(
        mixed.filter((_, i) => i % 48 === 0),
        [1.25, 2.25, 2.5],
        1e-6,
      );
    });
  });

  test('a number about labels is that of both images’ labels in their shares', async () => {
    await on(name, () => {
      const labels = tf.tensor1d([10, 20, 40], 'int32') as Tensor1D;
      const first = (given: Tensor1D) => given.cast('float32').slice([0], [1]).sum() as Scalar;
      const [mixed] = numbersOf(() =>
        overMixedLabels(labels, uploadMix({ order, share: 0.75, box: [0, 0, 0, 0] }), first),
      );
      const [plain] = numbersOf(() => overMixedLabels(labels, {}, first));
      expect([mixed, plain]).toEqual([0.75 * 10 + 0.25 * 20, 10]);
      labels.dispose();
    });
  });
});
