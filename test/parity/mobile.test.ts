/**
 * Every EfficientNet and MobileNetV3 at full size against timm itself, and the committed numbers of the small ones computed
 * again. Off by default, as timm.test.ts is, and switched on in the same way.
 */
import path from 'node:path';
import { MOBILE_NETWORKS, type MobileNetworkName } from '@mealtable/protocol/networks-mobile';
import { beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import committed from '../models/mobile-reference.json' with { type: 'json' };
import { hashedImages, hashStateDict } from '../support/hashed-weights.ts';
import { pythonWith, runPythonFile } from '../support/python.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

const wanted = process.env.MEALTABLE_TORCH ?? '';
const python = wanted === '1' ? await pythonWith(['torch', 'timm', 'safetensors', 'numpy']) : wanted || null;
const script = (name: string) => path.join(import.meta.dirname, name);

const NAMES = Object.keys(MOBILE_NETWORKS) as MobileNetworkName[];
/** Even and odd; all strides meet odd sizes in one of them. */
const SIZES = [64, 75];
const CLASSES = 11;
const BATCH = 2;
/** Less than keeps the variance: the deepest networks would magnify float32's rounding beyond the tolerance, timm's too. */
const GAIN = 22;
const TOLERANCE = 1e-4;

describe.skipIf(python === null)('timm computes the same as ours', async () => {
  if (python === null) return;
  await setUpTensorFlow();
  const expected = new Map<string, number[]>();
  beforeAll(async () => {
    const cases = NAMES.flatMap((name) => SIZES.map((size) => `${name}:${size}`));
    const options = [GAIN, CLASSES, BATCH].map(String);
    const results: number[][] = JSON.parse(await runPythonFile(python, script('timm_logits.py'), ...options, ...cases));
    for (const [i, name] of cases.entries()) expected.set(name, results[i]!);
  }, 600_000);

  test.each(NAMES)(
    '%s, and its frozen copy',
    async (name) => {
      const network = createNetwork(name, CLASSES, Rng.seeded(1));
      network.loadStateDict(hashStateDict(await network.toStateDict(), GAIN));
      const frozen = network.freeze();
      for (const size of SIZES) {
        const reference = expected.get(`${name}:${size}`)!;
        tf.tidy(() => {
          const images = tf.tensor4d(hashedImages(BATCH, size), [BATCH, size, size, 3]);
          const differences = [network.forward(images, false), frozen.forward(images)].map((logits) =>
            relativeDifference(logits.dataSync(), reference),
          );
          console.info(`${name} at ${size}: ${differences.map((d) => d.toExponential(1)).join(', frozen ')}`);
          for (const difference of differences) expect(difference).toBeLessThan(TOLERANCE);
        });
      }
      frozen.dispose();
      network.dispose();
    },
    120_000,
  );

  test('the committed numbers of the narrow networks are still what timm computes', async () => {
    const fresh = JSON.parse(await runPythonFile(python, script('make_mobile_reference.py')));
    const { madeWith: _, ...numbers } = committed;
    expectAlike(fresh, numbers, 'reference');
  }, 120_000);
});

/** Largest difference as a share of the largest number. */
function relativeDifference(actual: ArrayLike<number>, reference: readonly number[]): number {
  expect(actual.length).toBe(reference.length);
  const scale = Math.max(...reference.map(Math.abs));
  return Math.max(...reference.map((value, i) => Math.abs(actual[i]! - value))) / scale;
}

/** Numbers may differ by a millionth, which is the rounding of those in the file; everything else must be equal. */
function expectAlike(actual: unknown, expected: unknown, where: string): void {
  if (typeof expected === 'number') {
    expect(Math.abs((actual as number) - expected), where).toBeLessThanOrEqual(1e-6 * Math.abs(expected) + 1e-9);
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      expectAlike((actual as Record<string, unknown>)[key], value, `${where}.${key}`);
    }
  } else expect(actual, where).toBe(expected);
}
