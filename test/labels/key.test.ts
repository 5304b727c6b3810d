import { expect, test } from 'vitest';
import { canonicalKey, hashKey, hashWeights, LabelKey } from '../../trainer/labels/key.ts';
import type { StateDict, StateTensor } from '../../trainer/weights/state-dict.ts';
import { makeKey } from './support.ts';

test('the order of fields and of teachers and the scale of their shares make no other key', () => {
  const key = makeKey();
  const reordered = Object.fromEntries(Object.entries(key).reverse()) as LabelKey;
  const turned = { ...key, teachers: [...key.teachers].reverse().map((teacher) => ({ ...teacher, share: 7 })) };
  expect(canonicalKey(reordered)).toBe(canonicalKey(key));
  expect(hashKey(turned)).toBe(hashKey(key));
  expect(LabelKey.parse(JSON.parse(canonicalKey(key))).teachers).toHaveLength(2);
});

test('everything that changes a label changes the key', () => {
  const key = makeKey({ classCount: 1000 });
  const [first, second] = [key.teachers[0]!, key.teachers[1]!];
  const others: Partial<LabelKey>[] = [
    { dataset: { ...key.dataset, fingerprint: 'letters' } },
    { teachers: [first] },
    { teachers: [first, { ...second, weights: 'c'.repeat(64) }] },
    { teachers: [first, { ...second, network: 'resnet50' }] },
    { teachers: [first, { ...second, share: 2 }] },
    { teachers: [first, { ...second, normalisation: { mean: [0, 0, 0], std: [1, 1, 1] } }] },
    { ensemble: { kind: 'mean-logit', temperature: 1 } },
    { ensemble: { kind: 'mean-probability', temperature: 2 } },
    { views: { ...key.views, augmentationSeed: 4 } },
    { views: { ...key.views, inputSize: 33 } },
    { views: { ...key.views, interpolation: 'bicubic' } },
    { precision: 'bfloat16' },
    { classCount: 1001 },
    { labels: { kind: 'top-k', k: 10 } },
    { labels: { kind: 'full' } },
    { meanLogits: false },
  ];
  const hashes = [{}, ...others].map((change) => hashKey({ ...key, ...change }));
  expect(new Set(hashes).size).toBe(others.length + 1);
});

test('keys that mean nothing are refused', () => {
  const [teacher] = makeKey().teachers;
  const wrong: Partial<LabelKey>[] = [
    { teachers: [] },
    { teachers: [{ ...teacher!, weights: 'latest' }] },
    { teachers: [{ ...teacher!, share: 0 }] },
    { classCount: 5 },
    { classCount: 70_000 },
    { formatVersion: 2 as 1 },
    { extra: 1 } as Partial<LabelKey>,
  ];
  for (const change of wrong) expect(() => hashKey(makeKey(change)), JSON.stringify(change)).toThrow();
});

test('weights have the same hash in any order, and another one for any other number, name or shape', () => {
  const tensor = (shape: number[], ...data: number[]): StateTensor => ({
    dtype: 'F32',
    shape,
    data: Float32Array.from(data),
  });
  const state = (...entries: [string, StateTensor][]): StateDict => new Map(entries);
  const [weight, bias] = [tensor([2, 1], 1, 2), tensor([2], 3, 4)];
  const hash = hashWeights(state(['fc.weight', weight], ['fc.bias', bias]));
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(hashWeights(state(['fc.bias', bias], ['fc.weight', weight]))).toBe(hash);
  const others = [
    state(['fc.weight', weight], ['fc.bias', tensor([2], 3, 4.000001)]),
    state(['fc.weight', tensor([1, 2], 1, 2)], ['fc.bias', bias]),
    state(['fc.weight', weight], ['fc.shift', bias]),
    state(['fc.weight', weight]),
  ];
  expect(new Set([hash, ...others.map(hashWeights)]).size).toBe(others.length + 1);
});
