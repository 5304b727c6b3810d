import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blobPathOf, DiskStore } from '../../server/checkpoints/disk-store.ts';
import { sha256Of } from '../support/core.ts';

let dir: string;
let store: DiskStore;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mealtable-store-'));
  store = new DiskStore(dir);
  await store.prepare();
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const put = (sha256: string, source: Readable, max = 1e6, onStored = async (_size: number) => {}) =>
  store.put(sha256, source, { maxBytes: max, onStored });
const listTemp = () => readdir(path.join(dir, 'tmp'));

describe('putting a file', () => {
  test('stores it under its hash, in a folder of its first two letters, and files it once it is there', async () => {
    const content = randomBytes(300_000);
    const sha256 = sha256Of(content);
    const filed: number[] = [];
    const chunks = [content.subarray(0, 1), content.subarray(1, 100_000), content.subarray(100_000)];
    const result = await put(sha256, Readable.from(chunks), 1e6, async (size) => {
      filed.push(size);
      expect(await store.stat(sha256)).toBe(size);
    });
    expect(result).toEqual({ ok: true, sizeBytes: 300_000 });
    expect(filed).toEqual([300_000]);
    expect(await readFile(path.join(dir, sha256.slice(0, 2), sha256))).toEqual(content);
    expect(await listTemp()).toEqual([]);
  });

  test('refuses another content, and leaves nothing behind', async () => {
    const wanted = sha256Of('what was promised');
    const result = await put(wanted, Readable.from([Buffer.from('what came')]));
    expect(result).toEqual({ ok: false, code: 'hash_mismatch', actual: sha256Of('what came') });
    expect([await store.stat(wanted), await listTemp()]).toEqual([null, []]);
  });

  test('stops reading above the limit', async () => {
    let given = 0;
    const endless = Readable.from(
      (function* () {
        for (; given < 1000; given++) yield Buffer.alloc(1000);
      })(),
    );
    expect(await put(sha256Of('x'), endless, 10_000)).toEqual({ ok: false, code: 'too_large' });
    expect(given).toBeLessThan(100);
    expect(await listTemp()).toEqual([]);
  });

  test('a stream that breaks leaves nothing behind', async () => {
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('half');
        throw new Error('cut');
      })(),
    );
    await expect(put(sha256Of('half and half'), broken)).rejects.toThrow('cut');
    expect(await listTemp()).toEqual([]);
  });

  test('the same file from several senders at once is one file', async () => {
    const content = randomBytes(10_000);
    const sha256 = sha256Of(content);
    await Promise.all(Array.from({ length: 8 }, () => put(sha256, Readable.from([content]))));
    expect(await readFile(blobPathOf(dir, sha256))).toEqual(content);
    expect(await readdir(path.join(dir, sha256.slice(0, 2)))).toEqual([sha256]);
  });

  test('an empty file is a file', async () => {
    expect(await put(sha256Of(''), Readable.from([]))).toEqual({ ok: true, sizeBytes: 0 });
  });
});

describe('taking in a file that lies on the disk', () => {
  const options = { maxBytes: 1e6, onStored: async () => {} };
  const lay = async (content: string) => {
    const file = path.join(dir, 'tmp', 'arrived');
    await writeFile(file, content);
    return file;
  };

  test('moves it, once its hash is the one promised', async () => {
    const sha256 = sha256Of('arrived');
    expect(await store.putFile(sha256, await lay('arrived'), options)).toEqual({ ok: true, sizeBytes: 7 });
    expect([await store.stat(sha256), await listTemp()]).toEqual([7, []]);
  });

  test('leaves it where it is when it is another, or too large', async () => {
    const file = await lay('something else');
    const result = await store.putFile(sha256Of('arrived'), file, options);
    expect(result).toEqual({ ok: false, code: 'hash_mismatch', actual: sha256Of('something else') });
    const small = { ...options, maxBytes: 3 };
    expect(await store.putFile(sha256Of('something else'), file, small)).toEqual({ ok: false, code: 'too_large' });
    expect([await listTemp(), await store.stat(sha256Of('arrived'))]).toEqual([['arrived'], null]);
  });
});

test('a stored file is read whole or in part, as often as wanted, also while it is removed', async () => {
  const sha256 = sha256Of('0123456789');
  await put(sha256, Readable.from([Buffer.from('0123456789')]));
  const blob = (await store.open(sha256))!;
  const read = async (span?: { start: number; end: number }) => Buffer.concat(await (await blob.read(span)).toArray());
  expect(blob.sizeBytes).toBe(10);
  expect(String(await read())).toBe('0123456789');
  await store.remove(sha256);
  expect(String(await read({ start: 2, end: 4 }))).toBe('234');
  await blob.close();
  expect(await store.open(sha256)).toBeNull();
});

/** Paths of MLflow's advisories and their relatives: none of them is a hash, so none becomes a path. */
const HOSTILE = [
  '',
  '.',
  '..',
  '../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%252e%252e%252fetc%252fpasswd',
  '..\\..\\windows\\win.ini',
  '....//....//etc/passwd',
  '/etc/passwd',
  'C:\\secret',
  '\\\\server\\share',
  'file:///etc/passwd',
  `${'a'.repeat(64)}/../../x`,
  `${'a'.repeat(64)}\n`,
  `${'a'.repeat(63)}\0`,
  `${'A'.repeat(64)}`,
  `${'a'.repeat(65)}`,
  `${'a'.repeat(62)}/.`,
  `${'a'.repeat(60)};x=1`,
  `aa/${'a'.repeat(61)}`,
  'ａ'.repeat(64),
];
test.each(HOSTILE)('%j is no blob', async (name) => {
  expect(() => blobPathOf(dir, name)).toThrow(/Not a SHA-256/);
  await expect(put(name, Readable.from([Buffer.from('x')]))).rejects.toThrow(/Not a SHA-256/);
  expect(await listTemp()).toEqual([]);
});

test('what was still arriving when the last hub ended is deleted at the start, and nothing else', async () => {
  const sha256 = sha256Of('kept');
  await put(sha256, Readable.from([Buffer.from('kept')]));
  await writeFile(path.join(dir, 'tmp', 'left-over'), 'half');
  await store.prepare();
  expect([await listTemp(), await store.stat(sha256)]).toEqual([[], 4]);
});

test('removing twice is the same as removing once', async () => {
  const sha256 = sha256Of('gone');
  await put(sha256, Readable.from([Buffer.from('gone')]));
  await store.remove(sha256);
  await store.remove(sha256);
  expect(await store.stat(sha256)).toBeNull();
});

/** A disk of 256 kB, where the machine lets us have one. */
function mountTinyDisk(where: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', where], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('a full disk is the system’s own error, and gives back what the upload had taken', async (context) => {
  const tiny = path.join(dir, 'tiny');
  await mkdir(tiny);
  context.skip(!mountTinyDisk(tiny), 'Mounting needs rights that this machine does not give.');
  try {
    const full = new DiskStore(tiny);
    await full.prepare();
    const options = { maxBytes: 1e6, onStored: async () => {} };
    const content = randomBytes(400_000);
    await expect(full.put(sha256Of(content), Readable.from([content]), options)).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(await readdir(path.join(tiny, 'tmp'))).toEqual([]);
    const small = randomBytes(100_000);
    expect(await full.put(sha256Of(small), Readable.from([small]), options)).toMatchObject({ ok: true });
  } finally {
    execFileSync('umount', [tiny]);
  }
});
