/** Bytes at a place of an open file. */
import type { FileHandle } from 'node:fs/promises';

/** Node reads at most 2 GiB at once. */
export const CHUNK_BYTES = 64 * 1024 * 1024;

/** Fills `into` from `position`. @throws {Error} when the file ends before that */
export async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, Math.min(CHUNK_BYTES, into.length - done), position + done);
    if (bytesRead === 0) throw new Error('it ended while it was being read');
    done += bytesRead;
  }
}

/** A buffer of its own, so that typed arrays of any width can be laid over it. */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<ArrayBuffer> {
  const bytes = new ArrayBuffer(length);
  await readFully(file, new Uint8Array(bytes), position);
  return bytes;
}
