import type { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { hardCrossEntropy } from '../../trainer/distill/soft-cross-entropy.ts';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { hashedImages, hashStateDict } from '../support/hashed-weights.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';
import reference from './reference.json' with { type: 'json' };

await setUpTensorFlow();
const { classes, steps, cases } = reference;

describe.each(cases)('$name at $size pixels computes what timm computes', (expected) => {
  const { name, size, batch } = expected;

  /** The network with the reference's weights, and its images. */
  async function build() {
    const network = createNetwork(name as NetworkName, classes, Rng.seeded(1));
    network.loadStateDict(hashStateDict(await network.toStateDict()));
    return { network, images: tf.tensor4d(hashedImages(batch, size), [batch, size, size, 3]) };
  }

  test('it has the same keys in the same order, and as many parameters', async () => {
    const { network, images } = await build();
    expect([...(await network.toStateDict()).keys()]).toEqual(expected.keys);
    expect([...network.parameters.values()].reduce((sum, v) => sum + v.size, 0)).toBe(expected.parameters);
    images.dispose();
    network.dispose();
  });

  test('logits in evaluation, of the network and of its frozen copy', async () => {
    const { network, images } = await build();
    const frozen = network.freeze();
    tf.tidy(() => {
      expectCloseInScale(network.forward(images, false).dataSync(), expected.evalLogits, 1e-5);
      expectCloseInScale(frozen.forward(images).dataSync(), expected.evalLogits, 1e-5);
    });
    frozen.dispose();
    images.dispose();
    network.dispose();
  });

  test(`logits and every gradient of a training step, running statistics after ${steps}`, async () => {
    const { network, images } = await build();
    tf.tidy(() => {
      const labels = tf.tensor1d(
        Array.from({ length: batch }, (_, i) => i % classes),
        'int32',
      );
      const { values, gradients } = computeGradients(network.parameters, () => {
        const logits = network.forward(images as Tensor4D, true);
        return { loss: hardCrossEntropy(logits, labels), logits };
      });
      expectCloseInScale(values.logits.dataSync(), expected.trainLogits, 1e-4);
      const gradientOf = (name: string) => gradients.get(name)!;
      expectSumsAndNorms([...gradients.keys()], gradientOf, expected.gradients, 2e-4);
      for (let step = 1; step < steps; step++) network.forward(images, true);
      const bufferOf = (name: string) => network.buffers.get(name)!;
      expectSumsAndNorms([...network.buffers.keys()], bufferOf, expected.buffers, 1e-5);
    });
    images.dispose();
    network.dispose();
  });
});

/** Closeness relative to the largest number, which is what float32 promises after dozens of layers. */
function expectCloseInScale(actual: ArrayLike<number>, expected: number[], tolerance: number): void {
  expectClose(actual, expected, tolerance * Math.max(...expected.map(Math.abs)));
}

function expectSumsAndNorms(
  names: string[],
  tensorOf: (name: string) => Tensor,
  expected: number[][],
  tolerance: number,
): void {
  expect(names.length).toBe(expected.length);
  // A bias in front of a batch norm has no gradient but rounding errors, of the size of the gradients around it.
  const rounding = 1e-6 * Math.max(...expected.map(([, norm]) => norm!));
  for (const [i, name] of names.entries()) {
    const tensor = tensorOf(name);
    const [sum, norm] = expected[i] as [number, number];
    expect(Math.abs(tensor.norm().dataSync()[0]! - norm), `norm of ${name}`).toBeLessThan(tolerance * norm + rounding);
    const sumTolerance = tolerance * norm * Math.sqrt(tensor.size) + rounding;
    expect(Math.abs(tensor.sum().dataSync()[0]! - sum), `sum of ${name}`).toBeLessThan(sumTolerance);
  }
}
