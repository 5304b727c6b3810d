/** The blob store on a disk: `<dir>/aa/<sha256>`, and `<dir>/tmp` for what is still arriving. */
import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { Sha256 } from '@mealtable/protocol/ids';
import { withBlobLock } from './blob-locks.ts';
import type { BlobStore, OpenBlob, PutOptions, PutResult, Span } from './blob-store.ts';
import { examineFile, prepareStaging, putStaged } from './staging.ts';

const READ_BYTES = 256 * 1024;

/** @throws {z.ZodError} when it is no hash: nothing that a client sends becomes a path unchecked */
export function blobPathOf(dir: string, sha256: string): string {
  const name = Sha256.parse(sha256);
  return path.join(dir, name.slice(0, 2), name);
}

export class DiskStore implements BlobStore {
  readonly place: string;

  /** @param dir absolute */
  constructor(dir: string) {
    this.place = dir;
  }

  prepare(): Promise<void> {
    return prepareStaging(this.place);
  }

  async stat(sha256: string): Promise<number | null> {
    return nullIfMissing(async () => (await stat(blobPathOf(this.place, sha256))).size);
  }

  /** Unix deletes a name, not an open file: whoever reads keeps it until they are done. */
  async open(sha256: string): Promise<OpenBlob | null> {
    const handle = await nullIfMissing(() => open(blobPathOf(this.place, sha256), 'r'));
    if (!handle) return null;
    const { size } = await handle.stat();
    return {
      sizeBytes: size,
      read: async (span) => Readable.from(readSpan(handle, span ?? { start: 0, end: size - 1 }), { objectMode: false }),
      close: () => handle.close(),
    };
  }

  async put(sha256: string, source: Readable, options: PutOptions): Promise<PutResult> {
    blobPathOf(this.place, sha256);
    return putStaged(this.place, sha256, source, options, (temp, size) => this.#moveIn(sha256, temp, size, options));
  }

  async putFile(sha256: string, file: string, options: PutOptions & { isVerified?: boolean }): Promise<PutResult> {
    const examined = await examineFile(sha256, file, options);
    if (!examined.ok) return examined;
    await syncPath(file);
    return this.#moveIn(sha256, file, examined.sizeBytes, options);
  }

  async remove(sha256: string): Promise<void> {
    await nullIfMissing(() => unlink(blobPathOf(this.place, sha256)));
  }

  /** Locked only now: a slow upload keeps nobody waiting. */
  async #moveIn(sha256: string, from: string, sizeBytes: number, { onStored }: PutOptions): Promise<PutResult> {
    const target = blobPathOf(this.place, sha256);
    await withBlobLock(this.place, sha256, async () => {
      await mkdir(path.dirname(target), { recursive: true });
      await rename(from, target);
      // The names must be on the disk as well: of the file, and of a folder that is new.
      await syncPath(path.dirname(target));
      await syncPath(this.place);
      await onStored(sizeBytes);
    });
    return { ok: true, sizeBytes };
  }
}

/** By the handle, which stays open when a reader leaves early; a stream of the system's own would close it. */
async function* readSpan(file: FileHandle, { start, end }: Span): AsyncGenerator<Buffer> {
  for (let position = start; position <= end; ) {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - position + 1));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error(`A blob ends at ${position}, before ${end}.`);
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A file's bytes, or a folder's names. */
async function syncPath(where: string): Promise<void> {
  const handle = await open(where, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function nullIfMissing<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
