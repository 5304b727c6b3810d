/** PyTorch's files: what its own program wrote is read, and nothing in a hostile one is run or believed. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StateDict } from '../../trainer/weights/state-dict.ts';
import { readAll } from '../../trainer/weights/tensor-source.ts';
import { openTorchCheckpoint } from '../../trainer/weights/torch/torch-checkpoint.ts';
import { called, checkpoint, global, legacy, pickled, storage, tensor, whole, zipped } from '../support/torch-files.ts';
import { describeTensors } from '../support/torch-tensors.ts';

const FILES = path.join(import.meta.dirname, 'torch-files');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mealtable-torch-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(file: string): Promise<StateDict> {
  const open = await openTorchCheckpoint(file);
  try {
    return await readAll(open);
  } finally {
    await open.close();
  }
}

async function readBytes(bytes: Buffer): Promise<StateDict> {
  const file = path.join(folder, 'file.pth');
  await writeFile(file, bytes);
  return read(file);
}

describe('written by PyTorch', () => {
  test.each([
    ['a state dict', 'zip.pth'],
    ['a state dict in the format from before 1.6, of DataParallel', 'legacy.pth'],
    ['a state dict beside epoch and optimiser', 'wrapped.pth'],
    ['a newer pickle', 'protocol4.pth'],
  ])('%s', async (_, name) => {
    const expected = JSON.parse(await readFile(path.join(FILES, 'expected.json'), 'utf8'));
    expect(describeTensors(await read(path.join(FILES, name)))).toEqual(expected);
  });

  test("a module's own state dict", async () => {
    const tensors = await read(path.join(FILES, 'network.pth'));
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['0.weight', [2, 1, 1, 1]],
      ['0.bias', [2]],
      ['1.weight', [2]],
      ['1.bias', [2]],
      ['1.running_mean', [2]],
      ['1.running_var', [2]],
      ['1.num_batches_tracked', []],
    ]);
    expect(tensors.get('1.running_var')?.data).toEqual(Float32Array.of(1, 1));
  });

  test('with an object of a class of its own beside the weights: refused, naming the class', async () => {
    await expect(read(path.join(FILES, 'refused.pth'))).rejects.toThrow(
      /refused\.pth cannot be read as a PyTorch checkpoint: it asks for argparse\.Namespace, .* is not run/,
    );
  });

  test('cut off at any place', async () => {
    for (const name of ['zip.pth', 'legacy.pth']) {
      const bytes = await readFile(path.join(FILES, name));
      for (const length of [0, 1, 3, 100, 600, bytes.length - 200, bytes.length - 1])
        await expect(readBytes(bytes.subarray(0, length)), `${name}, ${length} bytes`).rejects.toThrow(
          'cannot be read as a PyTorch checkpoint',
        );
    }
  });

  test('with any one byte changed: read otherwise or refused in words, and nothing else', async () => {
    const bytes = await readFile(path.join(FILES, 'legacy.pth'));
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x55;
      await readBytes(changed).catch((error: Error) => {
        expect(error.message).toContain('cannot be read as a PyTorch checkpoint: ');
        expect(error.message).not.toMatch(/undefined|is not a function|call stack/);
      });
    }
  });
});

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);
const w = (from: Buffer, shape: number[], strides: number[], offset?: number) =>
  whole({ w: tensor(from, shape, strides, offset) });
const four = storage('FloatStorage', '0', 4);
const data = { 0: floats(1, 2, 3, 4) };

describe('a hostile file', () => {
  test('the parts that make it are good: an honest one is read', async () => {
    const tensors = await readBytes(checkpoint(w(four, [2, 2], [1, 2]), data));
    expect(tensors).toEqual(new Map([['w', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 3, 2, 4) }]]));
    const old = legacy(w(storage('FloatStorage', 'a', 2, null), [2], [1]), [['a', 2n, floats(5, 6)]]);
    expect((await readBytes(old)).get('w')?.data).toEqual(Float32Array.of(5, 6));
  });

  const long = Buffer.concat(Array.from({ length: 1_000_001 }, () => Buffer.from('}0')));
  const nested = Buffer.concat([Buffer.alloc(400_000, '('), pickled('x'), Buffer.alloc(400_000, 't')]);
  const doubled = Buffer.concat([Buffer.from('(2'), Buffer.alloc(300_000, '2')]);
  const deep = Buffer.concat([pickled('x'), ...Array.from({ length: 60 }, () => Buffer.from('2\x86', 'latin1'))]);
  const pairs = Buffer.concat([pickled(Array.from({ length: 2000 }, (_, i) => [i, i])), Buffer.from('q\x01')]);
  const dict = Buffer.concat([global('collections', 'OrderedDict'), Buffer.from('h\x01\x85R', 'latin1')]);
  const cases: [string, Buffer, RegExp][] = [
    ['a name that doubles sixty times', checkpoint(whole(deep, 'x', Buffer.from([0x93]))), /without text/],
    ['dicts that copy one list', checkpoint(whole(pairs, ...Array(600).fill(dict))), /more than 1000000 pairs/],
    ['runs a command', checkpoint(whole(called(global('os', 'system'), 'true'))), /asks for os\.system/],
    ['names eval', checkpoint(whole(global('builtins', 'eval'))), /asks for builtins\.eval/],
    ['names what objects have', checkpoint(whole(global('', '__proto__'))), /asks for \.__proto__/],
    ['names what objects inherit', checkpoint(whole(called(global('constructor', ''), 1))), /asks for constructor\./],
    ['by the newer opcode', checkpoint(whole('os', 'system', Buffer.from([0x93]))), /asks for os\.system/],
    ['instantiates', checkpoint(whole(Buffer.from('(ios\nsystem\n'))), /operation 'i'/],
    ['calls what is no function', checkpoint(whole(called(pickled('x')))), /calls something that is no function/],
    [
      'calls without arguments',
      checkpoint(whole(global('collections', 'OrderedDict'), 1, Buffer.from('R'))),
      /tuple of arguments/,
    ],
    ['sets the state of a list', checkpoint(whole([], {}, Buffer.from('b'))), /state of something/],
    ['takes from an empty stack', checkpoint(Buffer.from('0.')), /more from the stack/],
    ['closes what is not open', checkpoint(Buffer.from('t.')), /closes what it did not open/],
    ['recalls what was never there', checkpoint(whole(Buffer.from('h\x05'))), /refers to something that is not there/],
    ['does not end', checkpoint(Buffer.from('N')), /pickle ends too early/],
    ['text longer than the pickle', checkpoint(Buffer.from('X\xff\xff\xff\xff', 'latin1')), /pickle ends too early/],
    ['text that is none', checkpoint(whole(Buffer.from('X\x01\0\0\0\xff', 'latin1'))), /not UTF-8/],
    [
      'an endless number',
      checkpoint(whole(Buffer.from(`\x8a\xff${'1'.repeat(255)}`, 'latin1'))),
      /integer of 255 bytes/,
    ],
    ['a bomb of objects', checkpoint(long), /more than 1000000 operations/],
    ['nesting without end', checkpoint(whole(nested)), /no dict of weights/],
    ['references without end', checkpoint(whole(doubled)), /more from the stack/],
    ['no weights', checkpoint(whole({})), /no dict of weights/],
    ['weights that are text', checkpoint(whole({ w: 'x' })), /its "w" is no tensor/],
    [
      'a name that is endless',
      checkpoint(whole({ ['x'.repeat(9999)]: tensor(four, [1], [1]) }), data),
      /has 9999 characters/,
    ],
    ['past its storage', checkpoint(w(four, [5], [1]), data), /does not lie within its 4 elements/],
    ['offset past its storage', checkpoint(w(four, [2], [1], 3), data), /does not lie within/],
    ['negative offset', checkpoint(w(four, [2], [1], -1), data), /offset of a tensor in storage 0 is -1/],
    ['stride past its storage', checkpoint(w(four, [2], [4]), data), /does not lie within/],
    ['huge by repeating', checkpoint(w(four, [2 ** 26, 2 ** 26], [0, 0]), data), /does not lie within/],
    [
      'sizes whose product overflows',
      checkpoint(w(four, [2 ** 52, 2 ** 52, 2 ** 52], [1, 1, 1]), data),
      /does not lie/,
    ],
    ['sizes without strides', checkpoint(w(four, [2], []), data), /1 sizes and 0 strides/],
    ['fractional size', checkpoint(w(four, [1.5], [1]), data), /shape of a tensor in storage 0 is 1\.5/],
    [
      'a storage of a type that is none',
      checkpoint(w(storage('QInt8Storage', '0', 4), [1], [1]), data),
      /QInt8Storage/,
    ],
    [
      'a storage in two ways',
      checkpoint(whole({ a: tensor(four, [1], [1]), b: tensor(storage('LongStorage', '0', 4), [1], [1]) }), data),
      /storage 0 in two ways/,
    ],
    ['a storage that is not there', checkpoint(w(four, [1], [1])), /no archive\/data\/0 in it/],
    [
      'a storage in another folder',
      checkpoint(w(storage('FloatStorage', '../data.pkl', 4), [1], [1]), data),
      /no archive\/data\/\.\.\/data\.pkl/,
    ],
    [
      'a storage of another length',
      checkpoint(w(storage('FloatStorage', '0', 400), [400], [1]), data),
      /16 bytes instead of 1600/,
    ],
    ['a wrong checksum', checkpoint(w(four, [4], [1]), data, { crc: 1 }), /checksum differs/],
    ['a compressed entry', checkpoint(w(four, [4], [1]), data, { method: 8 }), /is compressed/],
    ['an encrypted entry', checkpoint(w(four, [4], [1]), data, { flags: 1 }), /is encrypted/],
    ['an entry past the end', checkpoint(w(four, [4], [1]), data, { sizeBytes: 2 ** 31 }), /outside of the archive/],
    ['an entry elsewhere', checkpoint(w(four, [4], [1]), data, { headerAt: 7 }), /not where its zip directory says/],
    ['an entry outside', checkpoint(w(four, [4], [1]), data, { headerAt: 2 ** 31 }), /outside of the file/],
    ['entries over one another', checkpoint(w(four, [4], [1]), { ...data, 1: floats(1) }, { headerAt: 0 }), /overlaps/],
    [
      'an entry twice',
      zipped([1, 2].map(() => ({ name: 'a/data.pkl', bytes: whole({}) }))),
      /holds a\/data\.pkl twice/,
    ],
    ['an archive without a pickle', zipped([{ name: 'x', bytes: floats(1) }]), /no data\.pkl/],
    [
      'big-endian numbers',
      zipped([
        { name: 'a/data.pkl', bytes: w(four, [1], [1]) },
        { name: 'a/byteorder', bytes: Buffer.from('big') },
      ]),
      /big-endian/,
    ],
    ['old, big-endian', legacy(whole({}), [], { little_endian: false }), /little-endian/],
    ['old, without its magic number', Buffer.concat([whole(1), whole(2)]), /not one of PyTorch/],
    ['old, a storage past the end', legacy(w(four, [1], [1]), [['0', 2n ** 40n, floats(1)]]), /storage 0 ends outside/],
    ['old, a storage of negative length', legacy(w(four, [1], [1]), [['0', -4n, floats(1)]]), /storage 0 ends outside/],
    ['old, a storage of another length', legacy(w(four, [1], [1]), [['0', 1n, floats(1)]]), /4 bytes for 4 elements/],
    ['old, a storage that nothing uses', legacy(whole({}), [['0', 1n, floats(1)]]), /nothing in it uses its storage 0/],
    ['old, a view of a storage', legacy(w(storage('FloatStorage', '0', 4, ['1', 0, 2]), [1], [1]), []), /is a view/],
    ['a tar archive', Buffer.concat([Buffer.alloc(257, 'x'), Buffer.from('ustar'), Buffer.alloc(250)]), /tar archive/],
    ['anything else', Buffer.from('<html>not found</html>'), /neither a zip archive nor a pickle/],
  ];
  test.each(cases)('%s', async (_, bytes, fault) => {
    await expect(readBytes(bytes)).rejects.toThrow(fault);
  });
});
