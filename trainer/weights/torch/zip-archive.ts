/**
 * The directory of a zip archive whose files are stored, not compressed, as PyTorch writes them.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import type { FileHandle } from 'node:fs/promises';
import { readBytes } from '../file-bytes.ts';

export interface ZipEntry {
  name: string;
  /** Bytes from the start of the archive to those of the file. */
  begin: number;
  sizeBytes: number;
  crc32: number;
}

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = 56;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;
const MAX_ENTRIES = 100_000;
const NOT_HERE = 0xffffffff;

interface Directory {
  count: number;
  begin: number;
  sizeBytes: number;
}

/** @throws {Error} when it is no zip archive, or one that is damaged, compressed, encrypted or has overlapping files */
export async function readZipEntries(file: FileHandle, fileBytes: number): Promise<Map<string, ZipEntry>> {
  const directory = await findDirectory(file, fileBytes);
  const { count, begin, sizeBytes } = directory;
  if (sizeBytes > MAX_DIRECTORY_BYTES || begin + sizeBytes > fileBytes)
    throw new Error(`its zip directory of ${sizeBytes} bytes at ${begin} does not lie within its ${fileBytes} bytes`);
  if (count > MAX_ENTRIES)
    throw new Error(`its zip directory lists ${count} files, more than the ${MAX_ENTRIES} allowed`);
  const bytes = Buffer.from(await readBytes(file, begin, sizeBytes));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_ENTRY_BYTES > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50)
      throw new Error(`its zip directory is damaged at entry ${i + 1} of ${count}`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    const end = at + DIRECTORY_ENTRY_BYTES + nameBytes! + extraBytes! + commentBytes!;
    if (end > bytes.length) throw new Error(`its zip directory is damaged at entry ${i + 1} of ${count}`);
    const entry = await readEntry(file, fileBytes, bytes.subarray(at, end), [nameBytes!, extraBytes!]);
    if (entries.has(entry.name)) throw new Error(`its zip archive holds ${entry.name} twice`);
    entries.set(entry.name, entry);
    at = end;
  }
  requireApart([...entries.values()], begin);
  return entries;
}

async function findDirectory(file: FileHandle, fileBytes: number): Promise<Directory> {
  const tailBytes = Math.min(fileBytes, END_BYTES + MAX_COMMENT_BYTES);
  const tail = Buffer.from(await readBytes(file, fileBytes - tailBytes, tailBytes));
  const at = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (at === -1 || at + END_BYTES > tail.length) throw new Error('its zip directory is missing: the file was cut off');
  const directory = {
    count: tail.readUInt16LE(at + 10),
    sizeBytes: tail.readUInt32LE(at + 12),
    begin: tail.readUInt32LE(at + 16),
  };
  const locator = at - ZIP64_LOCATOR_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) return directory;
  const zip64At = Number(tail.readBigUInt64LE(locator + 8));
  if (zip64At + ZIP64_END_BYTES > fileBytes) throw new Error('its zip directory lies outside of the file');
  const zip64 = Buffer.from(await readBytes(file, zip64At, ZIP64_END_BYTES));
  if (zip64.readUInt32LE(0) !== 0x06064b50) throw new Error('its zip64 directory is damaged');
  const [count, sizeBytes, begin] = [32, 40, 48].map((offset) => Number(zip64.readBigUInt64LE(offset)));
  return { count: count!, sizeBytes: sizeBytes!, begin: begin! };
}

/** @param bytes one entry of the directory */
async function readEntry(
  file: FileHandle,
  fileBytes: number,
  bytes: Buffer,
  [nameBytes, extraBytes]: [number, number],
): Promise<ZipEntry> {
  const nameEnd = DIRECTORY_ENTRY_BYTES + nameBytes;
  const name = bytes.toString('utf8', DIRECTORY_ENTRY_BYTES, nameEnd);
  if ((bytes.readUInt16LE(8) & 1) !== 0) throw new Error(`${name} in it is encrypted`);
  if (bytes.readUInt16LE(10) !== 0) throw new Error(`${name} in it is compressed, which PyTorch never does`);
  const wide = readZip64Numbers(bytes.subarray(nameEnd, nameEnd + extraBytes));
  const number = (offset: number) => {
    const value = bytes.readUInt32LE(offset);
    return value === NOT_HERE ? (wide.shift() ?? value) : value;
  };
  // In this order: only those that do not fit into 32 bits are in the extra field.
  const [sizeBytes, storedBytes, headerAt] = [number(24), number(20), number(42)];
  if (sizeBytes !== storedBytes) throw new Error(`${name} in it has two sizes, ${sizeBytes} and ${storedBytes} bytes`);
  if (headerAt! + LOCAL_HEADER_BYTES > fileBytes) throw new Error(`${name} in it lies outside of the file`);
  const header = Buffer.from(await readBytes(file, headerAt!, LOCAL_HEADER_BYTES));
  if (header.readUInt32LE(0) !== 0x04034b50) throw new Error(`${name} is not where its zip directory says`);
  const begin = headerAt! + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  return { name, begin, sizeBytes: sizeBytes!, crc32: bytes.readUInt32LE(16) };
}

function readZip64Numbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    const field = extra.subarray(at + 4, at + 4 + length);
    if (extra.readUInt16LE(at) === 1)
      return Array.from({ length: Math.floor(field.length / 8) }, (_, i) => Number(field.readBigUInt64LE(8 * i)));
    at += 4 + length;
  }
  return [];
}

function requireApart(entries: ZipEntry[], directoryBegin: number): void {
  let reached = 0;
  for (const { name, begin, sizeBytes } of entries.sort((a, b) => a.begin - b.begin)) {
    if (begin < reached) throw new Error(`${name} in it overlaps another file`);
    reached = begin + sizeBytes;
    if (reached > directoryBegin) throw new Error(`${name} in it lies outside of the archive's data`);
  }
}
