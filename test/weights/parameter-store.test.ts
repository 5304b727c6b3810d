/** Loading a network tensor by tensor: all or nothing, strict, and with a classifier of one's own. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tf } from '../../trainer/engine/tf.ts';
import { ParameterStore } from '../../trainer/weights/parameter-store.ts';
import type { StateDict, StateTensor } from '../../trainer/weights/state-dict.ts';
import { sourceOf, type TensorSource } from '../../trainer/weights/tensor-source.ts';
import { setUpTensorFlow } from '../support/tensors.ts';

await setUpTensorFlow();
const f32 = (shape: number[], ...values: number[]): StateTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});

let store: ParameterStore;
let before: StateDict;
beforeAll(() => {
  store = new ParameterStore();
  store.addParameter('conv.weight', 'conv', tf.zeros([1, 1, 2, 3]));
  store.addCounter('bn.num_batches_tracked');
  store.addBuffer('bn.running_var', tf.ones([3]));
  store.addParameter('fc.weight', 'dense', tf.zeros([3, 2]));
  store.addParameter('fc.bias', 'plain', tf.zeros([2]));
  return () => store.dispose();
});
beforeEach(async () => {
  before = await store.toStateDict();
});

const good = (): StateDict =>
  new Map([
    ['conv.weight', f32([3, 2, 1, 1], 1, 2, 3, 4, 5, 6)],
    ['bn.running_var', f32([3], 7, 8, 9)],
    ['fc.weight', f32([2, 3], 1, 2, 3, 4, 5, 6)],
    ['fc.bias', f32([2], -1, -2)],
  ]);
const load = (tensors: StateDict, leave?: (name: string) => boolean) => store.load(sourceOf(tensors), { leave });
const unchanged = async () => expect(await store.toStateDict()).toEqual(before);

test('every tensor is asked for once, in its turn, and laid out as TensorFlow has it', async () => {
  const read: string[] = [];
  const tensors = good();
  const source: TensorSource = {
    tensors,
    read: async (name) => {
      read.push(name);
      return tensors.get(name)!;
    },
  };
  const tensorsBefore = tf.memory().numTensors;
  await store.load(source);
  expect(tf.memory().numTensors).toBe(tensorsBefore);
  expect(read).toEqual(['conv.weight', 'bn.running_var', 'fc.weight', 'fc.bias']);
  expect([...store.parameters.get('conv.weight')!.dataSync()]).toEqual([1, 3, 5, 2, 4, 6]);
  const { data } = (await store.toStateDict()).get('fc.weight')!;
  expect(data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
});

describe('all or nothing', () => {
  const wrong: [string, (tensors: StateDict) => void, RegExp][] = [
    ['a key too few', (t) => t.delete('fc.bias'), /missing fc\.bias\.$/],
    ['a key too many', (t) => t.set('head.bias', f32([1], 1)), /unexpected head\.bias\.$/],
    ['another shape', (t) => t.set('fc.weight', f32([3, 2], 1, 2, 3, 4, 5, 6)), /shape \[3,2\] instead of \[2,3\]/],
    [
      'whole numbers',
      (t) => t.set('fc.bias', { dtype: 'I32', shape: [2], data: Int32Array.of(1, 2) }),
      /fc\.bias is I32 instead of F32/,
    ],
  ];
  test.each(wrong)('%s: refused before anything is read or changed', async (_, spoil, fault) => {
    const tensors = good();
    spoil(tensors);
    const source: TensorSource = { tensors, read: () => expect.unreachable('something was read') };
    await expect(store.load(source)).rejects.toThrow(fault);
    await unchanged();
  });

  test('everything that is wrong is said at once', async () => {
    const tensors = good();
    tensors.delete('conv.weight');
    tensors.set('x', f32([1], 1));
    tensors.set('fc.bias', f32([3], 1, 2, 3));
    await expect(load(tensors)).rejects.toThrow(
      'These weights do not fit the network: missing conv.weight; unexpected x; fc.bias has shape [3] instead of [2].',
    );
  });
});

test('counters of batches may be there or not, and others may be there too', async () => {
  const counter: StateTensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(9n) };
  for (const name of ['bn.num_batches_tracked', 'other.num_batches_tracked']) {
    const tensors = good();
    tensors.set(name, counter);
    await load(tensors);
  }
});

test('double precision is rounded; what float32 cannot hold is refused instead of becoming infinite', async () => {
  const tensors = good();
  tensors.set('fc.bias', { dtype: 'F64', shape: [2], data: Float64Array.of(0.1, -Infinity) });
  await load(tensors);
  expect([...store.parameters.get('fc.bias')!.dataSync()]).toEqual([Math.fround(0.1), -Infinity]);
  tensors.set('fc.bias', { dtype: 'F64', shape: [2], data: Float64Array.of(1, 1e300) });
  await expect(load(tensors)).rejects.toThrow('fc.bias holds 1e+300, which float32 cannot');
});

test('a classifier that is left alone keeps its numbers, whatever the file has in its place', async () => {
  const leave = (name: string) => name.startsWith('fc.');
  const bias = before.get('fc.bias');
  for (const change of [
    (t: StateDict) => t.set('fc.weight', f32([1, 1], 5)).set('fc.bias', f32([1], 5)),
    (t: StateDict) => t.delete('fc.bias') && t.delete('fc.weight'),
    (t: StateDict) => t.set('fc.bias', { dtype: 'I32', shape: [1], data: Int32Array.of(1) }),
  ]) {
    const tensors = good();
    tensors.set('bn.running_var', f32([3], 1, 1, 1));
    change(tensors);
    await load(tensors, leave);
    const after = await store.toStateDict();
    expect(after.get('fc.bias')).toEqual(bias);
    expect(after.get('bn.running_var')?.data).toEqual(Float32Array.of(1, 1, 1));
  }
  const tensors = good();
  tensors.delete('conv.weight');
  await expect(load(tensors, leave)).rejects.toThrow('missing conv.weight');
});
