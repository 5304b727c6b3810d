/** Lists the files inside a tar archive without reading them: POSIX ustar and pax, with GNU's long names. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

const BLOCK = 512;
/** Read at once: a header and, for a small file such as a label, its content. */
const CHUNK = 4 * BLOCK;
const MAX_NAME_BYTES = 64 * 1024;
const HEADERS_PER_TURN = 500;

export interface TarEntry {
  name: string;
  /** Of its content. */
  offset: number;
  size: number;
  /** The content where it is short and was read along with the header. */
  content: Buffer | null;
}

/** Every regular file, in order. Throws an Error saying where and why when the archive is damaged or cut short. */
export async function* listTar(path: string): AsyncGenerator<TarEntry> {
  const file = openSync(path, 'r');
  try {
    const { size: total } = fstatSync(file);
    const buffer = Buffer.alloc(CHUNK);
    let longName: string | null = null;
    let longSize: number | null = null;
    let count = 0;
    for (let at = 0; at + BLOCK <= total; ) {
      if (++count % HEADERS_PER_TURN === 0) await setImmediate();
      const read = readSync(file, buffer, 0, CHUNK, at);
      const header = buffer.subarray(0, BLOCK);
      // Two blocks of zeros end an archive; what follows has no meaning.
      if (header.every((byte) => byte === 0)) return;
      requireChecksum(header, at);
      const size = longSize ?? parseNumber(header.subarray(124, 136));
      const offset = at + BLOCK;
      if (!Number.isSafeInteger(size) || size < 0 || offset + size > total)
        throw new Error(`the file that begins at byte ${at} goes beyond the archive's end`);
      const type = String.fromCharCode(header[156]!);
      if (type === 'x' || type === 'L') {
        const text = readText(file, offset, size);
        if (type === 'L') longName = text.split('\0')[0]!;
        else {
          const records = parsePax(text);
          longName = records.get('path') ?? longName;
          longSize = records.has('size') ? Number(records.get('size')) : null;
        }
      } else {
        if (type === '0' || type === '\0')
          yield {
            name: longName ?? nameIn(header),
            offset,
            size,
            content: BLOCK + size <= read ? Buffer.from(buffer.subarray(BLOCK, BLOCK + size)) : null,
          };
        longName = null;
        longSize = null;
      }
      at = offset + Math.ceil(size / BLOCK) * BLOCK;
    }
  } finally {
    closeSync(file);
  }
}

/** Reads `size` bytes at `offset`, all of them or an Error. */
export function readSpan(file: number, offset: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let done = 0; done < size; ) {
    const read = readSync(file, bytes, done, size - done, offset + done);
    if (read === 0) throw new Error('the file ends before the image does');
    done += read;
  }
  return bytes;
}

function requireChecksum(header: Buffer, at: number): void {
  let sum = 0;
  for (const [i, byte] of header.entries()) sum += i >= 148 && i < 156 ? 32 : byte;
  if (sum !== parseNumber(header.subarray(148, 156))) throw new Error(`there is no tar header at byte ${at}`);
}

/** Octal digits or, with the top bit set, big-endian binary. */
function parseNumber(field: Buffer): number {
  if (field[0]! & 0x80) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  return Number.parseInt(field.toString('latin1').replaceAll('\0', ' ').trim() || '0', 8);
}

function nameIn(header: Buffer): string {
  const text = (from: number, to: number) => header.toString('utf8', from, to).split('\0')[0]!;
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? text(345, 500) : '';
  return prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
}

function readText(file: number, offset: number, size: number): string {
  if (size > MAX_NAME_BYTES) throw new Error(`the names before byte ${offset + size} are ${size} bytes long`);
  return readSpan(file, offset, size).toString('utf8');
}

/** Records of the form "length key=value\n". */
function parsePax(text: string): Map<string, string> {
  const records = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = line.match(/^\d+ ([^=]+)=(.*)$/) ?? [];
    if (key) records.set(key, value!);
  }
  return records;
}
