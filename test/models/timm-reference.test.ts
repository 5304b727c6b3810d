import type { NetworkName } from '@mealtable/protocol/networks';
import type { Tensor4D } from '@tensorflow/tfjs';
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

describe.each(reference.cases)('$name at $size pixels computes what timm computes', (expected) => {
  /** The network with the reference's weights, and its images. */
  async function build() {
    const network = createNetwork(expected.name as NetworkName, reference.classes, Rng.seeded(1));
    network.loadStateDict(hashStateDict(await network.toStateDict()));
    const { batch, size } = expected;
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

  test('logits and every gradient of a training step, and the running statistics after three', async () => {
    const { network, images } = await build();
    tf.tidy(() => {
      const labels = tf.tensor1d(
        Array.from({ length: expected.batch }, (_, i) => i % reference.classes),
        'int32',
      );
      const { values, gradients } = computeGradients(network.parameters, () => {
        const logits = network.forward(images as Tensor4D, true);
        return { loss: hardCrossEntropy(logits, labels), logits };
      });
      expectCloseInScale(values.logits.dataSync(), expected.trainLogits, 1e-4);
      for (let step = 1; step < reference.steps; step++) network.forward(images, true);
      const norms = Object.entries(expected.bufferNorms);
      expectCloseInScale(
        norms.map(([name]) => network.buffers.get(name)!.norm().dataSync()[0]!),
        norms.map(([, norm]) => norm),
        1e-5,
      );
      for (const [name, [sum, norm]] of Object.entries(expected.gradients) as [string, [number, number]][]) {
        const gradient = gradients.get(name)!;
        expect(Math.abs(gradient.norm().dataSync()[0]! - norm), `norm of ${name}`).toBeLessThan(2e-3 * norm + 1e-6);
        const tolerance = 2e-3 * norm * Math.sqrt(gradient.size) + 1e-6;
        expect(Math.abs(gradient.sum().dataSync()[0]! - sum), `sum of ${name}`).toBeLessThan(tolerance);
      }
    });
    images.dispose();
    network.dispose();
  });
});

/** Closeness relative to the largest number, which is what float32 promises after dozens of layers. */
function expectCloseInScale(actual: ArrayLike<number>, expected: number[], tolerance: number): void {
  expectClose(actual, expected, tolerance * Math.max(...expected.map(Math.abs)));
}
