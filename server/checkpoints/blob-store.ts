/**
 * The blob store: checkpoint files on disk under their SHA-256, `<dir>/aa/<sha256>`. A file under that name is always
 * whole, verified and on the disk; what is still arriving has a name in `<dir>/tmp`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { Sha256 } from '@mealtable/protocol/ids';
import { withBlobLock } from './blob-locks.ts';

export type PutResult =
  | { ok: true; sizeBytes: number }
  | { ok: false; code: 'hash_mismatch'; actual: string }
  | { ok: false; code: 'too_large' };

const tempDirOf = (blobsDir: string) => path.join(blobsDir, 'tmp');

/** @throws {z.ZodError} when it is no hash: nothing that a client sends becomes a path unchecked */
export function blobPathOf(blobsDir: string, sha256: string): string {
  const name = Sha256.parse(sha256);
  return path.join(blobsDir, name.slice(0, 2), name);
}

/** Makes the folders and deletes what was still arriving when the last hub ended. Call once, before any request. */
export async function prepareBlobStore(blobsDir: string): Promise<void> {
  const tempDir = tempDirOf(blobsDir);
  await mkdir(tempDir, { recursive: true });
  for (const name of await readdir(tempDir)) await rm(path.join(tempDir, name), { force: true });
}

/** @returns the file's size, or null when the store does not have it */
export async function statBlob(blobsDir: string, sha256: string): Promise<number | null> {
  try {
    return (await stat(blobPathOf(blobsDir, sha256))).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Stores what `source` gives if its hash is the one promised: durable when this returns `ok`. Nothing stays behind
 * otherwise, whether the hash differs, the stream breaks or the disk is full (which throws the system's error).
 * @param onStored files the blob while no sweep can touch it
 */
export async function putBlob(
  blobsDir: string,
  sha256: string,
  source: Readable,
  maxBytes: number,
  onStored: (sizeBytes: number) => Promise<void>,
): Promise<PutResult> {
  const target = blobPathOf(blobsDir, sha256);
  const temp = path.join(tempDirOf(blobsDir), `${sha256}.${randomBytes(6).toString('hex')}`);
  await mkdir(path.dirname(temp), { recursive: true });
  try {
    const written = await writeTemp(temp, source, maxBytes);
    if (written === 'too_large') return { ok: false, code: 'too_large' };
    if (written.sha256 !== sha256) return { ok: false, code: 'hash_mismatch', actual: written.sha256 };
    // Locked only now: a slow upload keeps nobody waiting.
    await withBlobLock(blobsDir, sha256, async () => {
      await mkdir(path.dirname(target), { recursive: true });
      await rename(temp, target);
      // The names must be on the disk as well: of the file, and of a folder that is new.
      await syncFolder(path.dirname(target));
      await syncFolder(blobsDir);
      await onStored(written.sizeBytes);
    });
    return { ok: true, sizeBytes: written.sizeBytes };
  } finally {
    await rm(temp, { force: true });
  }
}

async function writeTemp(temp: string, source: Readable, maxBytes: number) {
  const hash = createHash('sha256');
  const file = await open(temp, 'wx', 0o644);
  let sizeBytes = 0;
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Buffer;
      sizeBytes += bytes.length;
      if (sizeBytes > maxBytes) return 'too_large' as const;
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

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Readers that have the file open keep it until they are done: Unix deletes a name, not an open file. */
export async function removeBlob(blobsDir: string, sha256: string): Promise<void> {
  try {
    await unlink(blobPathOf(blobsDir, sha256));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
