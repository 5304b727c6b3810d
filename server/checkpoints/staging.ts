/** Files on their way into the blob store: written beside it under a name that nobody knows, and hashed meanwhile. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { PutOptions, PutResult } from './blob-store.ts';

const tempDirOf = (dir: string) => path.join(dir, 'tmp');

/** Makes the folder and deletes what is left in it. */
export async function prepareStaging(dir: string): Promise<void> {
  const tempDir = tempDirOf(dir);
  await mkdir(tempDir, { recursive: true });
  for (const name of await readdir(tempDir)) await rm(path.join(tempDir, name), { force: true });
}

export interface Staged {
  sha256: string;
  sizeBytes: number;
}

/**
 * Gives `use` the path of a file with all that `source` gave, on the disk; afterwards it is deleted if it is still there.
 * @returns 'too_large' without calling `use` when there is more than `maxBytes`
 */
export async function withStaged<T>(
  dir: string,
  source: Readable,
  maxBytes: number,
  use: (path: string, staged: Staged) => Promise<T>,
): Promise<T | 'too_large'> {
  const temp = path.join(tempDirOf(dir), randomBytes(16).toString('hex'));
  await mkdir(path.dirname(temp), { recursive: true });
  try {
    const staged = await writeTemp(temp, source, maxBytes);
    return staged === 'too_large' ? staged : await use(temp, staged);
  } finally {
    await rm(temp, { force: true });
  }
}

/**
 * What a store does with a stream: staged in `dir`, its hash compared, then given to `keep`.
 * @param keep moves or sends the verified file
 */
export async function putStaged(
  dir: string,
  sha256: string,
  source: Readable,
  { maxBytes }: PutOptions,
  keep: (file: string, sizeBytes: number) => Promise<PutResult>,
): Promise<PutResult> {
  const result = await withStaged(dir, source, maxBytes, async (temp, staged): Promise<PutResult> => {
    if (staged.sha256 !== sha256) return { ok: false, code: 'hash_mismatch', actual: staged.sha256 };
    return keep(temp, staged.sizeBytes);
  });
  return result === 'too_large' ? { ok: false, code: 'too_large' } : result;
}

/** Its size, where a file may be stored under this hash, or why not. */
export async function examineFile(
  sha256: string,
  file: string,
  { maxBytes, isVerified = false }: PutOptions & { isVerified?: boolean },
): Promise<PutResult> {
  const { size: sizeBytes } = await stat(file);
  if (sizeBytes > maxBytes) return { ok: false, code: 'too_large' };
  if (isVerified) return { ok: true, sizeBytes };
  const { sha256: actual } = await hashFile(file);
  return actual === sha256 ? { ok: true, sizeBytes } : { ok: false, code: 'hash_mismatch', actual };
}

async function writeTemp(temp: string, source: Readable, maxBytes: number): Promise<Staged | 'too_large'> {
  const hash = createHash('sha256');
  const file = await open(temp, 'wx', 0o644);
  let sizeBytes = 0;
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Buffer;
      sizeBytes += bytes.length;
      if (sizeBytes > maxBytes) return 'too_large';
      hash.update(bytes);
      // One write may take less than all of it, and says so.
      for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** Reads a file to its end. */
export async function hashFile(file: string): Promise<Staged> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
