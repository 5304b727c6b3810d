/**
 * Files that we write, loaded strictly by timm itself. Off by default, because PyTorch is a download of gigabytes:
 * MEALTABLE_TORCH=1 fetches it once, MEALTABLE_TORCH=/path/to/python uses one that has torch, timm and safetensors.
 * test/models/timm-reference.test.ts holds networks against numbers that PyTorch computed once.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NetworkName } from '@mealtable/protocol/networks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { writeSafetensors } from '../../trainer/weights/safetensors.ts';
import { hashedImages } from '../support/hashed-weights.ts';
import { pythonWith, runPythonFile } from '../support/python.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

const wanted = process.env.MEALTABLE_TORCH ?? '';
const python = wanted === '1' ? await pythonWith(['torch', 'timm', 'safetensors', 'numpy']) : wanted || null;
const SCRIPT = path.join(import.meta.dirname, 'timm_strict_load.py');
const CLASSES = 11;

describe.skipIf(python === null)('timm loads our file strictly and computes the same logits', async () => {
  if (python === null) return;
  await setUpTensorFlow();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mealtable-timm-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const names: NetworkName[] = [
    'resnet18',
    'resnet18_w16',
    'resnet34_w32',
    'resnet50',
    'resnet50_w8',
    'resnet17s_w8',
    'senet19_w8',
    'tf_mobilenetv3_small_100',
    'efficientnet_b0_w8',
  ];
  test.each(names)('%s', async (name) => {
    const shape: [number, number, number, number] = [2, 64, 64, 3];
    const pixels = hashedImages(2, 64);
    const network = createNetwork(name, CLASSES, Rng.seeded(1));
    tf.tidy(() => void network.forward(tf.tensor4d(pixels, shape), true));
    const logits = tf.tidy(() => network.forward(tf.tensor4d(pixels, shape), false).dataSync());
    const [weights, images] = ['weights', 'images'].map((file) => path.join(folder, `${name}-${file}.safetensors`));
    await writeSafetensors(weights!, await network.toStateDict());
    await writeSafetensors(images!, new Map([['images', { dtype: 'F32', shape, data: pixels }]]));
    network.dispose();
    const expected: number[] = JSON.parse(
      await runPythonFile(python, SCRIPT, name, String(CLASSES), weights!, images!),
    );
    expectClose(logits, expected, 1e-5 * Math.max(1, ...expected.map(Math.abs)));
    expect(new Set(expected).size).toBeGreaterThan(CLASSES);
  });
});
