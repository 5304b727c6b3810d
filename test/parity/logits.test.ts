/**
 * Every network, those of full size too, against timm itself, and the committed numbers of the small ones computed again. Off by
 * default, as timm.test.ts is, and switched on in the same way.
 */
import path from 'node:path';
import { NETWORK_NAMES, NETWORKS, type NetworkName } from '@mealtable/protocol/networks';
import { beforeAll, describe, expect, test } from 'vitest';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import trajectory from '../distill/trajectory.json' with { type: 'json' };
import groupedConv from '../engine/grouped-conv-reference.json' with { type: 'json' };
import models from '../models/reference.json' with { type: 'json' };
import { hashedImages, hashStateDict } from '../support/hashed-weights.ts';
import { pythonWith, runPythonFile } from '../support/python.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

const wanted = process.env.MEALTABLE_TORCH ?? '';
const python = wanted === '1' ? await pythonWith(['torch', 'timm', 'safetensors', 'numpy']) : wanted || null;
const script = (name: string) => path.join(import.meta.dirname, name);

/** Even and odd; all strides meet odd sizes in one of them. */
const SIZES = [64, 75];
const CLASSES = 11;
const BATCH = 2;
const TOLERANCE = 1e-4;

/**
 * 24 keeps the variance, but then the deepest networks magnify float32's rounding beyond any tolerance, timm's own too: the gates
 * of SENet-154 saturate and flip. Less forgets the image where nothing but short blocks adds it up.
 */
function gainOf(name: NetworkName): number {
  const { family } = NETWORKS[name];
  return family === 'resnet' || family === 'senet' ? 12 : 22;
}

describe.skipIf(python === null)('timm computes the same as ours', async () => {
  if (python === null) return;
  await setUpTensorFlow();
  const expected = new Map<string, number[]>();
  beforeAll(async () => {
    for (const gain of new Set(NETWORK_NAMES.map(gainOf))) {
      const names = NETWORK_NAMES.filter((name) => gainOf(name) === gain);
      const cases = names.flatMap((name) => SIZES.map((size) => `${name}:${size}`));
      const options = [gain, CLASSES, BATCH].map(String);
      const results = await runPythonFile(python, script('timm_logits.py'), ...options, ...cases);
      for (const [i, logits] of (JSON.parse(results) as number[][]).entries()) expected.set(cases[i]!, logits);
    }
  }, 1_200_000);

  test.each(NETWORK_NAMES)(
    '%s, and its frozen copy',
    async (name) => {
      const network = createNetwork(name, CLASSES, null);
      network.loadStateDict(hashStateDict(await network.toStateDict(), gainOf(name)));
      const frozen = network.freeze();
      for (const size of SIZES) {
        const reference = expected.get(`${name}:${size}`)!;
        // Of two images; otherwise the comparison would say nothing about what stands before the last bias.
        const spread = relativeDifference(reference.slice(0, CLASSES), reference.slice(CLASSES));
        expect(spread, 'how far the logits depend on the image').toBeGreaterThan(10 * TOLERANCE);
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
    300_000,
  );

  test.each([
    ['make_reference.py', models],
    ['make_grouped_conv_reference.py', groupedConv],
    ['make_distillation_reference.py', trajectory],
  ])(
    '%s still computes the committed numbers',
    async (file, committed) => {
      const fresh = JSON.parse(await runPythonFile(python, script(file)));
      // Another version of timm or PyTorch must compute the same.
      expectAlike({ ...fresh, madeWith: '' }, { ...committed, madeWith: '' }, file);
    },
    300_000,
  );
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
