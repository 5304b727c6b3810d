import { mobileCost } from '@mealtable/protocol/network-cost-mobile';
import { MOBILE_NETWORKS, type MobileNetworkName } from '@mealtable/protocol/networks-mobile';
import type { Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { hashedImages, hashStateDict } from '../support/hashed-weights.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();

const images = (batch: number, size: number): Tensor4D =>
  tf.tensor4d(hashedImages(batch, size), [batch, size, size, 3]);
const NAMES = Object.keys(MOBILE_NETWORKS) as MobileNetworkName[];
const REDUCED = NAMES.filter((name) => /_(w8|025)$/.test(name));

/** Parameters, and billions of multiply-accumulates at 224 and 380 pixels, as timm and PyTorch count them. */
const PUBLISHED = {
  tf_efficientnet_b0: [5_288_548, 0.385814752, 1.1248476],
  tf_efficientnet_b1: [7_794_184, 0.56965168, 1.66229664],
  tf_efficientnet_b2: [9_109_994, 0.65896344, 1.92411776],
  tf_efficientnet_b3: [12_233_232, 0.96270824, 2.809865648],
  tf_efficientnet_b4: [19_341_616, 1.503710432, 4.393771024],
  efficientnet_b0: [5_288_548, 0.385814752, 1.1248476],
  tf_mobilenetv3_small_075: [2_041_872, 0.043399344, 0.123531984],
  tf_mobilenetv3_small_100: [2_542_856, 0.0565104, 0.16142664],
  tf_mobilenetv3_large_100: [5_483_032, 0.21658976, 0.625787272],
  mobilenetv3_small_050: [1_593_224, 0.024188688, 0.067839248],
  mobilenetv3_small_075: [2_041_872, 0.043399344, 0.123531984],
  mobilenetv3_small_100: [2_542_856, 0.0565104, 0.16142664],
  mobilenetv3_large_100: [5_483_032, 0.21658976, 0.625787272],
} as const;

describe('cost', () => {
  test.each(Object.entries(PUBLISHED))('of %s is the published one', (name, [parameters, at224, at380]) => {
    const spec = MOBILE_NETWORKS[name as MobileNetworkName];
    expect(mobileCost(spec, 224, 1000)).toEqual({ parameters, macs: Math.round(at224 * 1e9) });
    expect(mobileCost(spec, 380, 1000).macs).toBe(Math.round(at380 * 1e9));
  });

  test.each(NAMES)('of %s counts the parameters of the network that is built', (name) => {
    const network = createNetwork(name, 13, null);
    const count = [...network.parameters.values()].reduce((sum, { size }) => sum + size, 0);
    expect(mobileCost(MOBILE_NETWORKS[name], 224, 13).parameters).toBe(count);
    network.dispose();
  });
});

test('published weights say how their images are prepared, the same architecture differently', () => {
  const { weights, preprocessing } = MOBILE_NETWORKS.tf_efficientnet_b4;
  expect(weights.map(({ tag, top1 }) => [tag, top1])).toEqual([
    ['aa_in1k', 83.04],
    ['ns_jft_in1k', 85.156],
    ['in1k', 82.598],
  ]);
  expect(preprocessing).toMatchObject({ inputSize: 380, cropFraction: 0.922, interpolation: 'bicubic' });
  expect(MOBILE_NETWORKS.tf_mobilenetv3_small_100.weights[0]!.preprocessing).toMatchObject({
    interpolation: 'bilinear',
    mean: [0.5, 0.5, 0.5],
  });
  expect(MOBILE_NETWORKS.mobilenetv3_small_100.weights[0]!.preprocessing).toMatchObject({
    interpolation: 'bicubic',
    mean: [0.485, 0.456, 0.406],
  });
});

test("initial weights are timm's: Kaiming normal over fan-out per group, biases 0, classifier within 1/sqrt(classes)", async () => {
  const network = createNetwork('tf_mobilenetv3_small_100', 100, Rng.seeded(1));
  const state = await network.toStateDict();
  const values = (name: string) => state.get(name)!.data as Float32Array;
  const deviation = (name: string) => Math.sqrt(values(name).reduce((sum, w) => sum + w * w, 0) / values(name).length);
  expect(state.get('blocks.4.1.conv_dw.weight')!.shape).toEqual([576, 1, 5, 5]);
  expect(deviation('blocks.4.1.conv_dw.weight') / Math.sqrt(2 / 25)).toBeCloseTo(1, 1.5);
  expect(deviation('blocks.4.1.conv_pw.weight') / Math.sqrt(2 / 576)).toBeCloseTo(1, 1.5);
  expect(new Set(values('blocks.4.1.se.conv_expand.bias'))).toEqual(new Set([0]));
  expect(new Set(values('blocks.4.1.bn3.weight'))).toEqual(new Set([1]));
  expect(new Set(values('conv_head.bias'))).toEqual(new Set([0]));
  expect(new Set(values('classifier.bias'))).toEqual(new Set([0]));
  const classifier = values('classifier.weight').map(Math.abs);
  expect(Math.max(...classifier.subarray(0, 10_000))).toBeLessThanOrEqual(0.1);
  expect(Math.max(...classifier.subarray(0, 10_000))).toBeGreaterThan(0.095);
  network.dispose();
});

describe.each(REDUCED)('%s', (name) => {
  const build = () => createNetwork(name, 5, Rng.seeded(1));

  test('runs at its smallest input size, also where that is not a multiple of its strides', () => {
    const network = build();
    for (const size of [MOBILE_NETWORKS[name].minInputSize, 33]) {
      tf.tidy(() => {
        const logits = network.forward(images(2, size), true);
        expect(logits.shape).toEqual([2, 5]);
        expect(logits.dataSync().every(Number.isFinite)).toBe(true);
      });
    }
    network.dispose();
  });

  test('every parameter has a gradient, and a step leaves no tensors', () => {
    const network = build();
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const { gradients } = computeGradients(network.parameters, () => ({
        loss: network.forward(images(4, 32), true).square().mean().asScalar(),
      }));
      for (const [name, gradient] of gradients) {
        expect(gradient?.shape, name).toEqual(network.parameters.get(name)!.shape);
      }
    });
    expect(tf.memory().numTensors).toBe(before);
    network.dispose();
  });

  test('gives back the weights it was given, depthwise filters among them', async () => {
    const network = build();
    const weights = hashStateDict(await network.toStateDict());
    network.loadStateDict(weights);
    expect(await network.toStateDict()).toEqual(weights);
    network.dispose();
  });

  test('a frozen copy predicts the same and does not follow later training', () => {
    const network = build();
    tf.tidy(() => void network.forward(images(4, 32), true));
    const frozen = network.freeze();
    tf.tidy(() => {
      const before = frozen.forward(images(2, 32)).dataSync();
      expectClose(before, network.forward(images(2, 32), false).dataSync(), 1e-5 * Math.max(...before.map(Math.abs)));
      network.forward(images(4, 32), true);
      for (const parameter of network.parameters.values()) parameter.assign(parameter.mul(1.5));
      expect(frozen.forward(images(2, 32)).dataSync()).toEqual(before);
    });
    frozen.dispose();
    network.dispose();
  });
});

test('TensorFlow pads and normalises differently from PyTorch, so the same weights do not compute the same', async () => {
  const [like, unlike] = (['tf_efficientnet_b0_w8', 'efficientnet_b0_w8'] as const).map((name) =>
    createNetwork(name, 5, Rng.seeded(1)),
  );
  unlike!.loadStateDict(await like!.toStateDict());
  tf.tidy(() => {
    const [a, b] = [like!, unlike!].map((network) => network.forward(images(2, 32), true));
    expect(a!.sub(b!).abs().max().dataSync()[0]).toBeGreaterThan(1e-2 * a!.abs().max().dataSync()[0]!);
  });
  like!.dispose();
  unlike!.dispose();
});
