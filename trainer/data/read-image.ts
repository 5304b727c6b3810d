/** Brings an encoded image from disk: a file of its own, or a part of a tar shard. */
import { readFile } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ImageLocation } from './dataset.ts';

/** Per thread. Opening costs more than reading; more open files than this many shards at once gain nothing. */
const OPEN_SHARDS = 32;
/** A quarter cheaper than the function of the same name in node:fs/promises. */
const readWhole = promisify(readFile);
/** No camera writes more; a file that claims to be larger is no image. */
const MAX_BYTES = 512 * 1024 * 1024;

/** In the order of their last use. */
const openShards = new Map<string, Promise<FileHandle>>();

/** Rejects with a reason that makes sense after "cannot be read". */
export async function readImage({ path, offset, length }: ImageLocation): Promise<Buffer> {
  if (length === null) return readWhole(Buffer.from(path));
  if (length > MAX_BYTES) throw new Error(`it is ${length} bytes long`);
  const shard = await openShard(String(path));
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await shard.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error('the shard ends before the image does');
    done += bytesRead;
  }
  return bytes;
}

function openShard(path: string): Promise<FileHandle> {
  const handle = openShards.get(path) ?? open(path, 'r');
  openShards.delete(path);
  openShards.set(path, handle);
  handle.catch(() => openShards.delete(path));
  if (openShards.size > OPEN_SHARDS) {
    const [oldest, opened] = openShards.entries().next().value!;
    openShards.delete(oldest);
    // Reads on their way hold the file open until they are done.
    void opened.then((file) => file.close());
  }
  return handle;
}
