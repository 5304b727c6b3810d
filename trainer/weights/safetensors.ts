/** Reads and writes safetensors files. Host and file are both little-endian on every machine that Node's TensorFlow runs on. */
import { createHash, randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Metadata } from './safetensors-header.ts';
import { decodeHeader, encodeHeader, MAX_HEADER_BYTES } from './safetensors-header.ts';
import type { StateDict, StateDtype, StateTensor } from './state-dict.ts';

/** Node reads at most 2 GiB at once; this also keeps memory flat while hashing. */
const CHUNK_BYTES = 64 * 1024 * 1024;

const ARRAYS: { [D in StateDtype]: (buffer: ArrayBuffer) => Extract<StateTensor, { dtype: D }>['data'] } = {
  F64: (buffer) => new Float64Array(buffer),
  I64: (buffer) => new BigInt64Array(buffer),
  F32: (buffer) => new Float32Array(buffer),
  I32: (buffer) => new Int32Array(buffer),
  U8: (buffer) => new Uint8Array(buffer),
};

export interface WrittenFile {
  sizeBytes: number;
  /** Lower-case hex digest of the whole file. */
  sha256: string;
}

/**
 * Writes `tensors` in one go that is all or nothing: into a temporary file beside `path`, forced to disk, then renamed over
 * it. Whoever opens `path` at any moment, even after a crash, finds the old file or the new one.
 */
export async function writeSafetensors(
  path: string,
  tensors: StateDict,
  metadata: Metadata = {},
): Promise<WrittenFile> {
  const { bytes: header, places } = encodeHeader(tensors, metadata);
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    const file = await open(temporary, 'wx');
    try {
      const append = async (bytes: Uint8Array): Promise<void> => {
        for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
          const chunk = bytes.subarray(start, start + CHUNK_BYTES);
          hash.update(chunk);
          await file.writeFile(chunk);
          sizeBytes += chunk.length;
        }
      };
      await append(header);
      for (const { name } of places) {
        const { data } = tensors.get(name)!;
        await append(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** Reads a whole file. Throws one Error with the file's name and what is wrong with it, before any tensor is read. */
export async function readSafetensors(path: string): Promise<{ tensors: StateDict; metadata: Metadata }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { json, dataStart } = await readHeader(file, size);
    const { places, metadata } = decodeHeader(json, size - dataStart);
    const tensors: StateDict = new Map();
    for (const { name, dtype, shape, begin, end } of places) {
      const buffer = new ArrayBuffer(end - begin);
      await readFully(file, new Uint8Array(buffer), dataStart + begin);
      tensors.set(name, { dtype, shape, data: ARRAYS[dtype](buffer) } as StateTensor);
    }
    return { tensors, metadata };
  } catch (error) {
    throw new Error(`${path} cannot be read as safetensors: ${(error as Error).message}.`, { cause: error });
  } finally {
    await file.close();
  }
}

async function readHeader(file: FileHandle, size: number): Promise<{ json: Buffer; dataStart: number }> {
  if (size < 8) throw new Error(`it is only ${size} bytes long`);
  const length = Buffer.alloc(8);
  await readFully(file, length, 0);
  const headerBytes = Number(length.readBigUInt64LE(0));
  if (headerBytes > Math.min(MAX_HEADER_BYTES, size - 8)) {
    throw new Error(`it says that its header is ${headerBytes} bytes long, which a file of ${size} bytes cannot hold`);
  }
  const json = Buffer.alloc(headerBytes);
  await readFully(file, json, 8);
  return { json, dataStart: 8 + headerBytes };
}

async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, Math.min(CHUNK_BYTES, into.length - done), position + done);
    if (bytesRead === 0) throw new Error('it ended while it was being read');
    done += bytesRead;
  }
}

/** Makes the rename itself survive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
