/**
 * A segment: a file of labels that one writer extends and nobody else ever changes. Little-endian, as every machine that
 * this runs on.
 *
 *     head   'MEALLBL1'  bytes of JSON u32  CRC-32 of JSON u32  canonical key as JSON  zeros up to a multiple of 8
 *     block  'LBLBLOCK'  records u32  bytes per record u32  place of the block in the file u64
 *            CRC-32 of the pairs u32  first half of the key's hash, 8 bytes  CRC-32 of the 36 bytes before u32
 *            pairs (image u32, view u32), one per record; the records; zeros up to a multiple of 8
 *     ...
 *
 * A block's head and pairs say what is in it without its records being read, which check themselves (record-codec.ts). As a
 * block names its own place, the next good block is found again behind altered bytes.
 */
import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const SEGMENT_MAGIC = Buffer.from('MEALLBL1');
const BLOCK_MAGIC = Buffer.from('LBLBLOCK');
const SEGMENT_HEAD_BYTES = 16;
const BLOCK_HEAD_BYTES = 40;
const BLOCK_HEAD_CHECKED = 36;
export const PAIR_BYTES = 8;
/** A key takes about 1 kB; what claims to be longer is none. */
const MAX_KEY_BYTES = 1 << 20;
/** Read at once: the head of a block and the pairs of a usual one. */
const FIRST_READ_BYTES = 4096;
const SEARCH_BYTES = 1 << 20;
const ALIGNMENT = 8;

export interface BlockShape {
  recordBytes: number;
  /** First 8 bytes of the key's hash. */
  keyMark: Buffer;
}

/** A whole block of a segment. */
export interface Block {
  /** Image and view in turn. */
  pairs: Uint32Array;
  /** Where its first record lies in the file. */
  recordsAt: number;
}

export function encodeSegmentHead(canonicalKey: string): Buffer {
  const json = Buffer.from(canonicalKey);
  const head = Buffer.alloc(aligned(SEGMENT_HEAD_BYTES + json.length));
  SEGMENT_MAGIC.copy(head);
  head.writeUInt32LE(json.length, 8);
  head.writeUInt32LE(crc32(json), 12);
  json.copy(head, SEGMENT_HEAD_BYTES);
  return head;
}

/** Where blocks begin and the key, or null where no whole head is: the file is too young, torn or no segment. */
export function readSegmentHead(fd: number): { canonicalKey: string; blocksAt: number } | null {
  const head = readUpTo(fd, 0, SEGMENT_HEAD_BYTES);
  if (head.length < SEGMENT_HEAD_BYTES || !head.subarray(0, 8).equals(SEGMENT_MAGIC)) return null;
  const length = head.readUInt32LE(8);
  if (length > MAX_KEY_BYTES) return null;
  const json = readUpTo(fd, SEGMENT_HEAD_BYTES, length);
  if (json.length < length || crc32(json) !== head.readUInt32LE(12)) return null;
  return { canonicalKey: json.toString(), blocksAt: aligned(SEGMENT_HEAD_BYTES + length) };
}

/** Bytes that a block of so many records takes. */
export function blockBytes(count: number, recordBytes: number): number {
  return aligned(BLOCK_HEAD_BYTES + count * (PAIR_BYTES + recordBytes));
}

/** The bytes of a block that will lie at `position`, with its records still zero, and where these are. */
export function startBlock(
  pairs: Uint32Array,
  { recordBytes, keyMark }: BlockShape,
  position: number,
): { bytes: Buffer; records: Uint16Array } {
  const count = pairs.length / 2;
  // Not from Node's shared pool: the records must be an array of 16-bit words.
  const bytes = Buffer.from(new ArrayBuffer(blockBytes(count, recordBytes)));
  const pairBytes = new Uint8Array(pairs.buffer, pairs.byteOffset, pairs.byteLength);
  BLOCK_MAGIC.copy(bytes);
  bytes.writeUInt32LE(count, 8);
  bytes.writeUInt32LE(recordBytes, 12);
  bytes.writeBigUInt64LE(BigInt(position), 16);
  bytes.writeUInt32LE(crc32(pairBytes), 24);
  keyMark.copy(bytes, 28, 0, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, BLOCK_HEAD_CHECKED)), BLOCK_HEAD_CHECKED);
  bytes.set(pairBytes, BLOCK_HEAD_BYTES);
  const recordsAt = recordsOffset(count);
  return { bytes, records: new Uint16Array(bytes.buffer, recordsAt, (count * recordBytes) / 2) };
}

export const recordsOffset = (count: number): number => BLOCK_HEAD_BYTES + count * PAIR_BYTES;

export interface ScanResult {
  /** Where the next scan goes on: everything before it is dealt with. */
  next: number;
  /** Altered bytes before `next` that were passed over. */
  skippedBytes: number;
}

/**
 * Finds the whole blocks from `from` on. What is left after the last of them is being written, or its writer died: it is
 * looked at again once the file has grown.
 */
export function scanBlocks(
  fd: number,
  from: number,
  size: number,
  shape: BlockShape,
  onBlock: (block: Block) => void,
): ScanResult {
  let next = from;
  let skippedBytes = 0;
  while (next < size) {
    const found = readBlock(fd, next, size, shape);
    if (found === 'unfinished') break;
    if (found === 'no-block') {
      const later = findBlock(fd, next + 1, size, shape);
      if (later === null) break;
      skippedBytes += later - next;
      next = later;
      continue;
    }
    if (found.block) onBlock(found.block);
    else skippedBytes += found.end - next;
    next = found.end;
  }
  return { next, skippedBytes };
}

interface FoundBlock {
  end: number;
  /** Null: the pairs are altered, so that nobody knows whose the records are. */
  block: Block | null;
}

function readBlock(fd: number, at: number, size: number, shape: BlockShape): FoundBlock | 'unfinished' | 'no-block' {
  const start = readUpTo(fd, at, Math.min(FIRST_READ_BYTES, size - at));
  if (!isBlockHead(start, at, shape)) return 'no-block';
  const count = start.readUInt32LE(8);
  const end = at + blockBytes(count, shape.recordBytes);
  if (end > size) return 'unfinished';
  const pairsEnd = recordsOffset(count);
  const bytes = pairsEnd <= start.length ? start : readUpTo(fd, at, pairsEnd);
  const pairs = new Uint32Array(new Uint8Array(bytes.subarray(BLOCK_HEAD_BYTES, pairsEnd)).buffer);
  const isIntact = crc32(new Uint8Array(pairs.buffer)) === start.readUInt32LE(24);
  return { end, block: isIntact ? { pairs, recordsAt: at + pairsEnd } : null };
}

function isBlockHead(bytes: Buffer, at: number, { recordBytes, keyMark }: BlockShape): boolean {
  return (
    bytes.length >= BLOCK_HEAD_BYTES &&
    bytes.subarray(0, 8).equals(BLOCK_MAGIC) &&
    crc32(bytes.subarray(0, BLOCK_HEAD_CHECKED)) === bytes.readUInt32LE(BLOCK_HEAD_CHECKED) &&
    bytes.readUInt32LE(12) === recordBytes &&
    bytes.readBigUInt64LE(16) === BigInt(at) &&
    bytes.subarray(28, 36).equals(keyMark)
  );
}

/** Where the first block head from `from` on is. */
function findBlock(fd: number, from: number, size: number, shape: BlockShape): number | null {
  for (let begin = from; begin < size; begin += SEARCH_BYTES) {
    // A magic may lie across two reads.
    const bytes = readUpTo(fd, begin, Math.min(SEARCH_BYTES + BLOCK_MAGIC.length - 1, size - begin));
    for (let i = bytes.indexOf(BLOCK_MAGIC); i >= 0; i = bytes.indexOf(BLOCK_MAGIC, i + 1))
      if (isBlockHead(readUpTo(fd, begin + i, BLOCK_HEAD_BYTES), begin + i, shape)) return begin + i;
  }
  return null;
}

/** Fewer bytes than asked for only where the file ends. */
export function readUpTo(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
