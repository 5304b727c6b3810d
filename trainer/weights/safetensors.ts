/** Reads and writes safetensors files. Host and file are both little-endian on every machine that Node's TensorFlow runs on. */
import { createHash, randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CHUNK_BYTES, readBytes, readFully } from './file-bytes.ts';
import type { Metadata } from './safetensors-header.ts';
import { decodeHeader, encodeHeader, MAX_HEADER_BYTES, type TensorPlace } from './safetensors-header.ts';
import type { StateDict } from './state-dict.ts';
import { elementCount } from './state-dict.ts';
import { toStateTensor } from './stored-dtype.ts';
import { readAll, sourceOf, type TensorSource, type WeightsFile } from './tensor-source.ts';

export interface WrittenFile {
  sizeBytes: number;
  /** Lower-case hex digest of the whole file. */
  sha256: string;
}

/**
 * Writes `tensors` in one go that is all or nothing: into a temporary file beside `path`, forced to disk, then renamed over
 * it. Whoever opens `path` at any moment, even after a crash, finds the old file or the new one. Of a source, one tensor is in
 * memory at a time. What a tensor is read as must be what the source said of it.
 */
export async function writeSafetensors(
  path: string,
  tensors: StateDict | TensorSource,
  metadata: Metadata = {},
): Promise<WrittenFile> {
  const source = sourceOf(tensors);
  const { bytes: header, places } = encodeHeader(source.tensors, metadata);
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
      for (const { name, dtype, shape } of places) {
        const { data, dtype: found } = await source.read(name);
        if (found !== dtype) throw new Error(`Tensor ${name} is ${found}, not ${dtype}.`);
        if (data.length !== elementCount(shape))
          throw new Error(`Tensor ${name} holds ${data.length} elements, but its shape is [${shape}].`);
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

export interface SafetensorsFile extends WeightsFile {
  readonly metadata: Metadata;
}

/** Opens a file and checks its whole header. Throws one Error with the file's name and what is wrong with it. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const refuse = (error: unknown): never => {
    throw new Error(`${path} cannot be read as safetensors: ${(error as Error).message}.`, { cause: error });
  };
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { json, dataStart } = await readHeader(file, size);
    const { places, metadata } = decodeHeader(json, size - dataStart);
    const tensors = new Map(places.map((place): [string, TensorPlace] => [place.name, place]));
    return {
      tensors,
      metadata,
      read: async (name) => {
        const { dtype, shape, begin, end } = tensors.get(name)!;
        const bytes = await readBytes(file, dataStart + begin, end - begin).catch(refuse);
        return toStateTensor(dtype, shape, bytes);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    return refuse(error);
  }
}

/** Reads a whole file. Throws one Error with the file's name and what is wrong with it, before any tensor is read. */
export async function readSafetensors(path: string): Promise<{ tensors: StateDict; metadata: Metadata }> {
  const file = await openSafetensors(path);
  try {
    return { tensors: await readAll(file), metadata: file.metadata };
  } finally {
    await file.close();
  }
}

async function readHeader(file: FileHandle, size: number): Promise<{ json: Buffer; dataStart: number }> {
  if (size < 8) throw new Error(`it is only ${size} bytes long`);
  const length = Buffer.alloc(8);
  await readFully(file, length, 0);
  const headerBytes = Number(length.readBigUInt64LE(0));
  if (headerBytes > MAX_HEADER_BYTES && headerBytes <= size - 8)
    throw new Error(`its header of ${headerBytes} bytes is larger than the ${MAX_HEADER_BYTES} that weights may need`);
  if (headerBytes > size - 8) {
    throw new Error(`it says that its header is ${headerBytes} bytes long, which a file of ${size} bytes cannot hold`);
  }
  const json = Buffer.alloc(headerBytes);
  await readFully(file, json, 8);
  return { json, dataStart: 8 + headerBytes };
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
