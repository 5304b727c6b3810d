import { expect, test } from 'vitest';
import { normalisePixels, uploadPixels } from '../../trainer/engine/pixels.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { withNormalisation } from '../../trainer/models/with-normalisation.ts';
import { patternPixels } from '../support/image-folder.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

test('a network that wants another mean and deviation sees the same bytes in its own way', () => {
  const before = tf.memory().numTensors;
  const network = createNetwork('resnet18_w8', 5, Rng.seeded(1));
  const [own, wrapped] = [network.freeze(), network.freeze()];
  network.dispose();
  const wanted = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
  const teacher = withNormalisation(wrapped, wanted);
  const pixels = uploadPixels(patternPixels(32, 32, 3), 1);
  const [direct, ours, otherWay] = tf.tidy(() => [
    own.forward(normalisePixels(pixels, wanted)).dataSync(),
    teacher.forward(normalisePixels(pixels)).dataSync(),
    own.forward(normalisePixels(pixels)).dataSync(),
  ]) as never as Float32Array[];
  expectClose(ours!, direct!, 1e-6);
  expect(Math.abs(otherWay![0]! - direct![0]!)).toBeGreaterThan(1e-4);
  teacher.dispose();
  own.dispose();
  pixels.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
