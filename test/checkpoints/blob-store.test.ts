import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blobPathOf, prepareBlobStore, putBlob, removeBlob, statBlob } from '../../server/checkpoints/blob-store.ts';
import { sha256Of } from '../support/core.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mealtable-store-'));
  await prepareBlobStore(dir);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const put = (sha256: string, source: Readable, max = 1e6, onStored = async (_size: number) => {}) =>
  putBlob(dir, sha256, source, max, onStored);
const listTemp = () => readdir(path.join(dir, 'tmp'));

describe('putting a file', () => {
  test('stores it under its hash, in a folder of its first two letters, and files it once it is there', async () => {
    const content = randomBytes(300_000);
    const sha256 = sha256Of(content);
    const filed: number[] = [];
    const chunks = [content.subarray(0, 1), content.subarray(1, 100_000), content.subarray(100_000)];
    const result = await put(sha256, Readable.from(chunks), 1e6, async (size) => {
      filed.push(size);
      expect(await statBlob(dir, sha256)).toBe(size);
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
    expect([await statBlob(dir, wanted), await listTemp()]).toEqual([null, []]);
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
  await prepareBlobStore(dir);
  expect([await listTemp(), await statBlob(dir, sha256)]).toEqual([[], 4]);
});

test('removing twice is the same as removing once', async () => {
  const sha256 = sha256Of('gone');
  await put(sha256, Readable.from([Buffer.from('gone')]));
  await removeBlob(dir, sha256);
  await removeBlob(dir, sha256);
  expect(await statBlob(dir, sha256)).toBeNull();
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
    await prepareBlobStore(tiny);
    const content = randomBytes(400_000);
    const upload = putBlob(tiny, sha256Of(content), Readable.from([content]), 1e6, async () => {});
    await expect(upload).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await readdir(path.join(tiny, 'tmp'))).toEqual([]);
    const small = randomBytes(100_000);
    expect(await putBlob(tiny, sha256Of(small), Readable.from([small]), 1e6, async () => {})).toMatchObject({
      ok: true,
    });
  } finally {
    execFileSync('umount', [tiny]);
  }
});
