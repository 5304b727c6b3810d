import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../trainer/weights/safetensors.ts';
import type { StateDict } from '../../trainer/weights/state-dict.ts';
import { pythonWith, runPython } from '../support/python.ts';

const python = await pythonWith(['numpy', 'safetensors']);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mealtable-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

function example(): StateDict {
  return new Map([
    ['conv1.weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2, 0.5, Number.NaN, Infinity, 1e-42) }],
    ['bn1.num_batches_tracked', { dtype: 'I64', shape: [], data: BigInt64Array.of(-7n) }],
    ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) }],
    ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
    ['precise', { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) }],
    ['fc.bias', { dtype: 'I32', shape: [2], data: Int32Array.of(-1, 5) }],
  ]);
}

function withHeader(header: unknown, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

test('what is written is read back to the bit, with its metadata', async () => {
  const file = path.join(folder, 'round-trip.safetensors');
  const written = await writeSafetensors(file, example(), { format: 'pt', note: 'Übergröße' });
  const bytes = await readFile(file);
  expect(written).toEqual({ sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });

  const { tensors, metadata } = await readSafetensors(file);
  expect(metadata).toEqual({ format: 'pt', note: 'Übergröße' });
  expect(new Map([...tensors].sort())).toEqual(new Map([...example()].sort()));
});

test('tensors are asked for one by one when they are written', async () => {
  const file = path.join(folder, 'source.safetensors');
  let open = 0;
  const tensors = example();
  await writeSafetensors(file, {
    tensors,
    read: async (name) => {
      expect(++open).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return tensors.get(name)!;
    },
  });
  expect([...(await readSafetensors(file)).tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
});

test('half precision is read as float32 and small integers as int32, exactly', async () => {
  const halves = Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x83ff, 0x7bff, 0x7c00, 0xfe00).buffer);
  const brains = Buffer.from(Uint16Array.of(0x3f80, 0xc049, 0x7f80).buffer);
  const header = {
    half: { dtype: 'F16', shape: [7], data_offsets: [0, 14] },
    brain: { dtype: 'BF16', shape: [3], data_offsets: [14, 20] },
    short: { dtype: 'I16', shape: [1], data_offsets: [20, 22] },
    tiny: { dtype: 'I8', shape: [1], data_offsets: [22, 23] },
    flag: { dtype: 'BOOL', shape: [1], data_offsets: [23, 24] },
  };
  const file = path.join(folder, 'narrow.safetensors');
  await writeFile(file, Buffer.concat([withHeader(header, 0), halves, brains, Buffer.of(0xd4, 0xfe, 0xfd, 1)]));
  const { tensors } = await readSafetensors(file);
  expect(tensors.get('half')).toEqual({
    dtype: 'F32',
    shape: [7],
    // 2^-24 is the smallest half above zero, 65504 the largest.
    data: Float32Array.of(1, -2, 2 ** -24, -1023 * 2 ** -24, 65504, Infinity, Number.NaN),
  });
  expect(tensors.get('brain')?.data).toEqual(Float32Array.of(1, -3.140625, Infinity));
  expect(tensors.get('short')).toEqual({ dtype: 'I32', shape: [1], data: Int32Array.of(-300) });
  expect(tensors.get('tiny')?.data).toEqual(Int32Array.of(-3));
  expect(tensors.get('flag')).toEqual({ dtype: 'U8', shape: [1], data: Uint8Array.of(1) });
});

test('a rewrite replaces the file in one step and leaves nothing beside it', async () => {
  const file = path.join(folder, 'rewrite', 'weights.safetensors');
  await expect(writeSafetensors(file, example())).rejects.toThrow(/ENOENT/);
  const own = await mkdtemp(path.join(folder, 'own-'));
  const target = path.join(own, 'weights.safetensors');
  await writeSafetensors(target, example());
  await writeSafetensors(target, new Map([['only', { dtype: 'F32', shape: [1], data: Float32Array.of(4) }]]));
  expect([...(await readSafetensors(target)).tensors.keys()]).toEqual(['only']);
  expect(await readdir(own)).toEqual(['weights.safetensors']);
});

test('a tensor whose numbers do not fill its shape is a bug, and writes nothing', async () => {
  const own = await mkdtemp(path.join(folder, 'bug-'));
  const wrong: StateDict = new Map([['w', { dtype: 'F32', shape: [3], data: Float32Array.of(1) }]]);
  await expect(writeSafetensors(path.join(own, 'x'), wrong)).rejects.toThrow('Tensor w holds 1 elements');
  expect(await readdir(own)).toEqual([]);
});

test.skipIf(python === null)("Python's safetensors reads our file, and we read its", async () => {
  const ours = path.join(folder, 'ours.safetensors');
  const theirs = path.join(folder, 'theirs.safetensors');
  await writeSafetensors(ours, example(), { format: 'pt' });
  const printed = await runPython(
    python!,
    `
import json, sys
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
ours = load_file(sys.argv[1])
with safe_open(sys.argv[1], "np") as file: metadata = file.metadata()
print(json.dumps([metadata, {k: [str(v.dtype), list(v.shape), v.tobytes().hex()] for k, v in ours.items()}]))
save_file({"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array(3, dtype=np.int64)}, sys.argv[2])
`,
    ours,
    theirs,
  );
  const [metadata, found] = JSON.parse(printed) as [unknown, Record<string, [string, number[], string]>];
  expect(metadata).toEqual({ format: 'pt' });
  const numpyNames = { F32: 'float32', F64: 'float64', I32: 'int32', I64: 'int64', U8: 'uint8' };
  for (const [name, { dtype, shape, data }] of example()) {
    const hex = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
    expect(found[name]).toEqual([numpyNames[dtype], shape, hex]);
  }
  const { tensors } = await readSafetensors(theirs);
  expect(tensors.get('a')).toEqual({ dtype: 'I64', shape: [], data: BigInt64Array.of(3n) });
  expect(tensors.get('b')).toEqual({ dtype: 'F32', shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) });
});

describe('a damaged file is refused with its name and the fault', () => {
  const f32 = (shape: number[], begin: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });
  const cases: [string, Buffer, string][] = [
    ['shorter than a header', Buffer.alloc(5), 'it is only 5 bytes long'],
    ['header longer than the file', Buffer.alloc(40, 0xff), 'says that its header is'],
    ['header of many megabytes', withHeader(`{"${'x'.repeat(10_000_001)}":1}`, 0), 'larger than the 10000000'],
    [
      'name of many megabytes',
      withHeader({ ['x'.repeat(9_000_000)]: f32([1], 0, 4) }, 4),
      'name in its header has 9000000 characters',
    ],
    ['header not JSON', withHeader('{"a":', 0), 'its header is not JSON'],
    ['header not an object', withHeader('[1]', 0), 'its header is not a JSON object'],
    ['metadata not text', withHeader({ __metadata__: { a: 1 } }, 0), 'its metadata is not a map'],
    ['unknown type', withHeader({ a: { ...f32([1], 0, 4), dtype: 'F8_E4M3' } }, 4), 'tensor "a" has type F8_E4M3'],
    [
      'a type that objects inherit',
      withHeader({ a: { ...f32([1], 0, 4), dtype: 'constructor' } }, 4),
      'has type constr',
    ],
    [
      'the same name twice',
      withHeader('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061":1}', 0),
      'names "a" twice',
    ],
    [
      'a size that overflows',
      withHeader({ a: f32([2 ** 52, 2 ** 52, 2 ** 52], 0, 4) }, 4),
      'e+47 bytes, but 4 are set aside',
    ],
    ['negative shape', withHeader({ a: f32([-1], 0, 4) }, 4), 'describes tensor "a" wrongly'],
    ['fractional offset', withHeader({ a: f32([1], 0.5, 4) }, 4), 'describes tensor "a" wrongly'],
    ['past the end', withHeader({ a: f32([2], 0, 8) }, 4), 'tensor "a" lies at bytes 0 to 8 of data that is 4 bytes'],
    ['end before begin', withHeader({ a: f32([1], 4, 0) }, 4), 'tensor "a" lies at bytes 4 to 0'],
    ['shape against bytes', withHeader({ a: f32([3], 0, 4) }, 4), 'needs 12 bytes, but 4 are set aside'],
    ['overlap', withHeader({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), 'tensor "b" overlaps'],
    ['gap', withHeader({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), 'bytes 4 to 8 of its data belong to no tensor'],
    ['something behind the end', withHeader({ a: f32([1], 0, 4) }, 9), 'bytes 4 to 9 of its data belong to no tensor'],
  ];
  test.each(cases)('%s', async (name, bytes, fault) => {
    const file = path.join(folder, `${name.replaceAll(' ', '-')}.safetensors`);
    await writeFile(file, bytes);
    const reading = readSafetensors(file);
    await expect(reading).rejects.toThrow(fault);
    await expect(reading).rejects.toThrow(`${file} cannot be read as safetensors`);
  });

  test('cut off at any place', async () => {
    const whole = path.join(folder, 'whole.safetensors');
    await writeSafetensors(whole, example());
    const bytes = await readFile(whole);
    const cut = path.join(folder, 'cut.safetensors');
    for (const length of [0, 7, 8, 60, bytes.length - 1]) {
      await writeFile(cut, bytes.subarray(0, length));
      await expect(readSafetensors(cut)).rejects.toThrow('cannot be read as safetensors');
    }
  });
});
