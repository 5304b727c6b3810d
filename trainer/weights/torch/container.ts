/** The two ways in which PyTorch lays out a checkpoint: a zip archive since 1.6, pickles followed by storages before. */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { readBytes } from '../file-bytes.ts';
import { STORED_BYTES } from '../stored-dtype.ts';
import { PickleCutShort, unpickle } from './pickle.ts';
import { type Storage, tensorRules } from './tensor-rules.ts';
import { readZipEntries, type ZipEntry } from './zip-archive.ts';

export interface TorchContainer {
  /** What was saved. */
  root: unknown;
  /** Where a storage's numbers begin in the file, its length checked. @throws {Error} when they are not there whole */
  locate(storage: Storage): number;
  /** Compares a storage with its checksum, once; does nothing where the file has none. @throws {Error} when it differs */
  verify(storage: Storage): Promise<void>;
}

const MAX_PICKLE_BYTES = 16 * 1024 * 1024;
const FIRST_WINDOW_BYTES = 1024 * 1024;
const CHECK_BYTES = 4 * 1024 * 1024;
/** Of the format that PyTorch wrote before 1.6, as its first pickle. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_VERSION = 1001;

export async function openContainer(file: FileHandle, fileBytes: number): Promise<TorchContainer> {
  const start = Buffer.from(await readBytes(file, 0, Math.min(fileBytes, 512)));
  if (start.toString('latin1', 0, 2) === 'PK') return openZip(file, fileBytes);
  if (start[0] === 0x80) return openLegacy(file, fileBytes);
  if (start.toString('latin1', 257, 262) === 'ustar')
    throw new Error('it is a tar archive, as PyTorch wrote before 2017. In Python, load it and save it again');
  throw new Error('it is neither a zip archive nor a pickle');
}

async function openZip(file: FileHandle, fileBytes: number): Promise<TorchContainer> {
  const entries = await readZipEntries(file, fileBytes);
  const pickle = [...entries.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) throw new Error('there is no data.pkl in it');
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  const checked = new Set<string>();
  const entryOf = (name: string): ZipEntry => {
    const entry = entries.get(`${folder}${name}`);
    if (!entry) throw new Error(`there is no ${folder}${name} in it`);
    return entry;
  };
  const verify = async (name: string) => {
    if (checked.has(name)) return;
    await requireChecksum(file, entryOf(name));
    checked.add(name);
  };
  if (pickle.sizeBytes > MAX_PICKLE_BYTES) throw new Error(`its pickle of ${pickle.sizeBytes} bytes is too large`);
  await verify('data.pkl');
  if (entries.has(`${folder}byteorder`)) {
    const { begin, sizeBytes } = entryOf('byteorder');
    const order = Buffer.from(await readBytes(file, begin, Math.min(sizeBytes, 16))).toString();
    if (order !== 'little') throw new Error(`its numbers are ${order}-endian`);
  }
  const bytes = Buffer.from(await readBytes(file, pickle.begin, pickle.sizeBytes));
  return {
    root: unpickle(bytes, 0, tensorRules(new Map())).value,
    locate: (storage) => {
      const { name, begin, sizeBytes } = entryOf(`data/${storage.key}`);
      const wanted = storage.length * STORED_BYTES[storage.dtype];
      if (sizeBytes !== wanted) throw new Error(`${name} in it has ${sizeBytes} bytes instead of ${wanted}`);
      return begin;
    },
    verify: (storage) => verify(`data/${storage.key}`),
  };
}

async function requireChecksum(file: FileHandle, { name, begin, sizeBytes, crc32: wanted }: ZipEntry): Promise<void> {
  let sum = 0;
  for (let done = 0; done < sizeBytes; done += CHECK_BYTES)
    sum = crc32(new Uint8Array(await readBytes(file, begin + done, Math.min(CHECK_BYTES, sizeBytes - done))), sum);
  if (sum !== wanted) throw new Error(`${name} in it is damaged: its checksum differs`);
}

async function openLegacy(file: FileHandle, fileBytes: number): Promise<TorchContainer> {
  const { root, keys, storages, end } = await readLegacyPickles(file, fileBytes);
  const places = new Map<string, { begin: number; room: number }>();
  // Each storage follows its length in elements, so its type must be known to step over it.
  let at = end;
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined) throw new Error(`nothing in it uses its storage ${key}, so it cannot be stepped over`);
    if (at + 8 > fileBytes) throw new Error(`its storage ${key} is missing: the file was cut off`);
    const length = Buffer.from(await readBytes(file, at, 8)).readBigInt64LE();
    const room = Number(length) * STORED_BYTES[storage.dtype];
    if (length < 0n || at + 8 + room > fileBytes) throw new Error(`its storage ${key} ends outside of the file`);
    places.set(key, { begin: at + 8, room });
    at += 8 + room;
  }
  return {
    root,
    locate: (storage) => {
      const place = places.get(storage.key);
      if (!place) throw new Error(`there is no storage ${storage.key} in it`);
      if (place.room !== storage.length * STORED_BYTES[storage.dtype])
        throw new Error(`its storage ${storage.key} has ${place.room} bytes for ${storage.length} elements`);
      return place.begin;
    },
    verify: async () => {},
  };
}

/** Magic number, version, the machine it was written on, what was saved, and the keys of its storages. */
async function readLegacyPickles(
  file: FileHandle,
  fileBytes: number,
): Promise<{ root: unknown; keys: string[]; storages: Map<string, Storage>; end: number }> {
  for (let window = FIRST_WINDOW_BYTES; ; window = MAX_PICKLE_BYTES) {
    const length = Math.min(window, fileBytes);
    const bytes = Buffer.from(await readBytes(file, 0, length));
    try {
      const storages = new Map<string, Storage>();
      const rules = tensorRules(storages);
      let end = 0;
      const next = () => {
        const pickle = unpickle(bytes, end, rules);
        end = pickle.end;
        return pickle.value;
      };
      if (next() !== LEGACY_MAGIC) throw new Error('its pickle is not one of PyTorch');
      if (next() !== LEGACY_VERSION) throw new Error('its format is not the one that PyTorch wrote before 1.6');
      const machine = next();
      if (!(machine instanceof Map) || machine.get('little_endian') !== true)
        throw new Error('it does not say that its numbers are little-endian');
      const root = next();
      const keys = next();
      if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string'))
        throw new Error('its list of storages is none');
      return { root, keys, storages, end };
    } catch (error) {
      if (!(error instanceof PickleCutShort) || length === fileBytes || window === MAX_PICKLE_BYTES) throw error;
    }
  }
}
