import { networkCost } from '@mealtable/protocol/network-cost';
import { NETWORK_NAMES, NETWORKS, type NetworkName } from '@mealtable/protocol/networks';
import type { Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { computeGradients } from '../../trainer/engine/gradients.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import type { StateDict } from '../../trainer/weights/state-dict.ts';
import { hashedImages } from '../support/hashed-weights.ts';
import { expectClose, setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();
const images = (batch: number, size: number): Tensor4D =>
  tf.tensor4d(hashedImages(batch, size), [batch, size, size, 3]);
const small = (seed = 1) => createNetwork('resnet18_w8', 10, Rng.seeded(seed));

test.each<[NetworkName, number, number, number]>([
  ['resnet18', 11_689_512, 9_600, 102],
  ['resnet50', 25_557_032, 53_120, 267],
  ['resnet152s', 60_316_584, 151_808, 787],
  ['senet154', 115_088_984, 247_552, 987],
])('%s with 1000 classes has the published size', (name, parameters, statistics, keys) => {
  const network = createNetwork(name, 1000, null);
  const count = (variables: ReadonlyMap<string, { size: number }>) =>
    [...variables.values()].reduce((sum, { size }) => sum + size, 0);
  expect(count(network.parameters)).toBe(parameters);
  expect(count(network.buffers)).toBe(statistics);
  expect(network.parameters.size + network.buffers.size).toBe(keys);
  network.dispose();
});

test.each<[NetworkName, string, string]>([
  ['resnet18', '1.814', '5.295'],
  ['resnet50', '4.089', '11.959'],
  ['resnet152s', '12.869', '37.678'],
  ['senet154', '20.688', '60.621'],
])('%s takes the multiply-accumulates that were measured on timm, at 224 and at 380 pixels', (name, ...expected) => {
  expect([224, 380].map((size) => (networkCost(name, size).macs / 1e9).toFixed(3))).toEqual(expected);
});

test('the registry counts the parameters that a network has, for any class count', () => {
  for (const name of NETWORK_NAMES) {
    const network = createNetwork(name, 10, null);
    const count = [...network.parameters.values()].reduce((sum, { size }) => sum + size, 0);
    expect(networkCost(name, 224, 10).parameters, name).toBe(count);
    network.dispose();
  }
});

test('published weights are told apart by their tags, and their images are neither too small nor cropped away', () => {
  for (const name of NETWORK_NAMES) {
    const spec = NETWORKS[name];
    expect(new Set(spec.weights.map(({ tag }) => tag)).size, name).toBe(spec.weights.length);
    for (const { inputSize, cropFraction } of [spec, ...spec.weights].map(({ preprocessing }) => preprocessing)) {
      expect(inputSize, name).toBeGreaterThanOrEqual(spec.minInputSize);
      expect(cropFraction, name).toBeGreaterThan(0.8);
      expect(cropFraction, name).toBeLessThanOrEqual(1);
    }
  }
});

test('every network of the protocol can be built and runs at its smallest input size', () => {
  // The wide ones share their code with the narrow ones and would take half a minute here.
  for (const name of NETWORK_NAMES.filter((name) => /_w8$|_025$/.test(name))) {
    const network = createNetwork(name, 3, Rng.seeded(1));
    tf.tidy(() => {
      const logits = network.forward(images(2, NETWORKS[name].minInputSize), false);
      expect(logits.shape).toEqual([2, 3]);
      expect(logits.dataSync().every(Number.isFinite)).toBe(true);
    });
    network.dispose();
  }
});

describe('initial weights', () => {
  test('follow from the seed alone', async () => {
    const [a, b, c] = [small(1), small(1), small(2)];
    const [first, second, third] = [await a.toStateDict(), await b.toStateDict(), await c.toStateDict()];
    expect(second).toEqual(first);
    expect(third.get('conv1.weight')).not.toEqual(first.get('conv1.weight'));
    for (const network of [a, b, c]) network.dispose();
  });

  test("are timm's: Kaiming normal over fan-out, batch norm 1 and 0, the last one of each block 0, classifier within 1/sqrt(in)", async () => {
    const network = createNetwork('resnet18', 10, Rng.seeded(1));
    const state = await network.toStateDict();
    const values = (name: string) => state.get(name)!.data as Float32Array;
    const filter = values('layer3.0.conv1.weight'); // 256 x 128 x 3 x 3
    const deviation = Math.sqrt(filter.reduce((sum, w) => sum + w * w, 0) / filter.length);
    expect(deviation / Math.sqrt(2 / (256 * 9))).toBeCloseTo(1, 1.9);
    expect(new Set(values('layer3.0.bn1.weight'))).toEqual(new Set([1]));
    expect(new Set(values('layer3.0.bn2.weight'))).toEqual(new Set([0]));
    expect(new Set(values('layer3.0.downsample.1.weight'))).toEqual(new Set([1]));
    expect(new Set(values('layer3.0.bn2.bias'))).toEqual(new Set([0]));
    expect(new Set(values('bn1.running_mean'))).toEqual(new Set([0]));
    expect(new Set(values('bn1.running_var'))).toEqual(new Set([1]));
    const classifier = values('fc.weight').map(Math.abs);
    const bound = 1 / Math.sqrt(512);
    expect(Math.max(...classifier)).toBeLessThanOrEqual(bound);
    expect(Math.max(...classifier)).toBeGreaterThan(0.95 * bound);
    network.dispose();
  });
});

test("squeeze-and-excitation starts with timm's Kaiming normal filters and PyTorch's uniform biases", async () => {
  const network = createNetwork('senet19_w8', 10, Rng.seeded(1));
  const state = await network.toStateDict();
  const filter = state.get('layer4.0.se.fc2.weight')!.data as Float32Array; // 256 x 16
  const deviation = Math.sqrt(filter.reduce((sum, w) => sum + w * w, 0) / filter.length);
  expect(deviation / Math.sqrt(2 / 256)).toBeCloseTo(1, 1);
  const largest = Math.max(...(state.get('layer4.0.se.fc2.bias')!.data as Float32Array).map(Math.abs));
  expect(largest).toBeLessThanOrEqual(1 / 4);
  expect(largest).toBeGreaterThan(0.95 / 4);
  network.dispose();
});

describe('state dict', () => {
  test("has PyTorch's shapes and its counters", async () => {
    const network = small();
    const state = await network.toStateDict();
    const shape = (name: string) => state.get(name)!.shape;
    expect(shape('conv1.weight')).toEqual([64, 3, 7, 7]);
    expect(shape('layer1.0.downsample.0.weight')).toEqual([8, 64, 1, 1]);
    expect(shape('fc.weight')).toEqual([10, 64]);
    expect(state.get('bn1.num_batches_tracked')).toEqual({ dtype: 'I64', shape: [], data: BigInt64Array.of(0n) });
    network.dispose();
  });

  test('carries everything: a network that loads it predicts the same', async () => {
    const [source, target] = [small(1), small(2)];
    tf.tidy(() => void source.forward(images(4, 32), true));
    target.loadStateDict(await source.toStateDict());
    tf.tidy(() => {
      const [a, b] = [source, target].map((network) => network.forward(images(2, 32), false).dataSync());
      expect(b).toEqual(a);
    });
    expect(await target.toStateDict()).toEqual(await source.toStateDict());
    source.dispose();
    target.dispose();
  });

  test('that does not fit is refused with every fault named, and changes nothing', async () => {
    const network = small();
    const before = await network.toStateDict();
    const broken: StateDict = new Map((await small2State()).entries());
    broken.delete('bn1.weight');
    broken.delete('fc.bias');
    broken.set('module.fc.bias', { dtype: 'F32', shape: [1], data: new Float32Array(1) });
    broken.set('fc.weight', { dtype: 'F32', shape: [1000, 64], data: new Float32Array(64_000) });
    broken.set('bn1.bias', { dtype: 'F64', shape: [64], data: new Float64Array(64) });
    expect(() => network.loadStateDict(broken)).toThrow(
      'These weights do not fit the network: missing bn1.weight, fc.bias; unexpected module.fc.bias; ' +
        'bn1.bias is F64 instead of F32; fc.weight has shape [1000,64] instead of [10,64].',
    );
    expect(await network.toStateDict()).toEqual(before);
    network.dispose();
  });

  async function small2State(): Promise<StateDict> {
    const network = small(2);
    const state = await network.toStateDict();
    network.dispose();
    return state;
  }
});

test('training moves the running statistics, evaluation does not', () => {
  const network = small();
  const mean = network.buffers.get('layer4.1.bn2.running_mean')!;
  const norm = () => tf.tidy(() => mean.norm().dataSync()[0]!);
  tf.tidy(() => void network.forward(images(4, 32), false));
  expect(norm()).toBe(0);
  tf.tidy(() => void network.forward(images(4, 32), true));
  expect(norm()).toBeGreaterThan(0);
  network.dispose();
});

test('a step leaves no tensors, and the gradient is null for nothing', () => {
  const network = small();
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const { gradients } = computeGradients(network.parameters, () => ({
      loss: network.forward(images(4, 32), true).square().mean().asScalar(),
    }));
    expect([...gradients.entries()].filter(([, gradient]) => gradient === null)).toEqual([]);
    for (const [name, gradient] of gradients) expect(gradient!.shape).toEqual(network.parameters.get(name)!.shape);
  });
  expect(tf.memory().numTensors).toBe(before);
  network.dispose();
});

test('a frozen copy does not follow later training', () => {
  const network = small();
  const frozen = network.freeze();
  tf.tidy(() => {
    const before = frozen.forward(images(2, 32)).dataSync();
    expectClose(before, network.forward(images(2, 32), false).dataSync(), 1e-5);
    network.forward(images(4, 32), true);
    for (const parameter of network.parameters.values()) parameter.assign(parameter.mul(1.5));
    expect(frozen.forward(images(2, 32)).dataSync()).toEqual(before);
  });
  frozen.dispose();
  network.dispose();
});

test('fewer than two classes are refused', () => {
  expect(() => createNetwork('resnet18', 1, Rng.seeded(1))).toThrow('at least 2 classes, not 1');
});
