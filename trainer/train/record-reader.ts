/**
 * Reads an attempt's record file. One record a line: CRC-32 of the JSON's bytes as 8 hex digits, a space, the JSON, a
 * newline. The writer appends whole lines, so the only thing a reader can meet too early is the end of the last one.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { AttemptRecord } from '@mealtable/protocol/records';

const NEWLINE = 0x0a;
/** '01234567 ' before the JSON. */
const PREFIX_BYTES = 9;
/** Most bytes read by one call, so that a reader that comes late is not held up by a file of any size. */
const DEFAULT_MAX_BYTES = 4_000_000;

export interface RecordsRead {
  records: AttemptRecord[];
  /** Where to read on: the byte after the last record returned. */
  nextOffset: number;
}

/** The line that stores a record, newline included. */
export function encodeRecord(record: AttemptRecord): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  const checksum = crc32(json).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`${checksum} `), json, Buffer.from('\n')]);
}

/**
 * Records from byte `fromByteOffset` (0, or a `nextOffset`) on, up to the first line that is incomplete or whose checksum
 * does not fit. Call again until nothing new comes: one call reads at most about `maxBytes`, but always one whole line.
 * A file that does not exist yet holds no records. Throws when the line at `fromByteOffset` has a good checksum and is not a
 * record, which only another version's file can contain, and on other file errors.
 */
export function readRecords(path: string, fromByteOffset: number, maxBytes = DEFAULT_MAX_BYTES): RecordsRead {
  const fd = openIfThere(path);
  if (fd === null) return { records: [], nextOffset: fromByteOffset };
  try {
    for (let size = maxBytes; ; size *= 2) {
      const bytes = readBytes(fd, fromByteOffset, size);
      const read = decodeLines(bytes, fromByteOffset, path);
      const lineIsLonger = read.records.length === 0 && bytes.length === size && !bytes.includes(NEWLINE);
      if (!lineIsLonger) return read;
    }
  } finally {
    closeSync(fd);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function readBytes(fd: number, from: number, size: number): Buffer {
  const buffer = Buffer.allocUnsafe(size);
  let filled = 0;
  while (filled < size) {
    const count = readSync(fd, buffer, filled, size - filled, from + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

function decodeLines(bytes: Buffer, baseOffset: number, path: string): RecordsRead {
  const records: AttemptRecord[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) break;
    const json = checkedJson(bytes.subarray(start, end));
    if (json === null) break;
    const record = parseRecord(json);
    if (typeof record === 'string') {
      // Good records come first; the call that begins at this line throws.
      if (records.length > 0) break;
      throw new Error(`${path}, byte ${baseOffset + start}: not a record (${record}).`);
    }
    records.push(record);
    start = end + 1;
  }
  return { records, nextOffset: baseOffset + start };
}

/** The JSON's bytes, or null when the line is not what the writer wrote. */
function checkedJson(line: Buffer): Buffer | null {
  const prefix = line.subarray(0, PREFIX_BYTES).toString('latin1');
  if (!/^[0-9a-f]{8} $/.test(prefix)) return null;
  const json = line.subarray(PREFIX_BYTES);
  return crc32(json) === Number.parseInt(prefix, 16) ? json : null;
}

/** The record, or what keeps the JSON from being one. */
function parseRecord(json: Buffer): AttemptRecord | string {
  const result = AttemptRecord.safeParse(JSON.parse(json.toString()));
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  return `${issue.path.join('.')}: ${issue.message}`;
}
