/**
 * Reads the one table that ILSVRC's development kit keeps in MATLAB's format: `synsets` in meta.mat, a struct array. Level 5
 * MAT-files as The MathWorks describe them ("MAT-File Format", 2019); no other kind of content is understood.
 */
import { inflateSync } from 'node:zlib';

const HEADER_BYTES = 128;
const TYPE = { matrix: 14, compressed: 15, utf8: 16 } as const;
const CLASS = { struct: 2, char: 4, double: 6, lastNumeric: 15 } as const;
/** The kit's own file is well below one. */
const MAX_INFLATED_BYTES = 64 * 1024 * 1024;

type Value = string | number | null;
export type Row = ReadonlyMap<string, Value>;

interface Element {
  type: number;
  data: Buffer;
  /** Where the next element begins. */
  end: number;
}

/** Rows of the file's first struct array; fields that hold neither a text nor a number are null. Throws for any other file. */
export function readStructArray(file: Buffer): Row[] {
  if (file.toString('latin1', 126, 128) !== 'IM') throw new Error('it is no MATLAB 5 file for little-endian machines');
  for (let at = HEADER_BYTES; at + 8 <= file.length; ) {
    const element = readElement(file, at);
    at = element.end;
    const matrix =
      element.type === TYPE.compressed
        ? readElement(inflateSync(element.data, { maxOutputLength: MAX_INFLATED_BYTES }), 0)
        : element;
    const rows = matrix.type === TYPE.matrix ? readRows(matrix.data) : null;
    if (rows !== null) return rows;
  }
  throw new Error('it holds no struct array');
}

function readElement(buffer: Buffer, at: number): Element {
  const word = buffer.readUInt32LE(at);
  // Up to four bytes stand in the tag itself, their count in its upper half.
  const small = word >>> 16;
  const [type, size, begin] = small > 0 ? [word & 0xffff, small, at + 4] : [word, buffer.readUInt32LE(at + 4), at + 8];
  if (begin + size > buffer.length) throw new Error('it is cut short');
  const padded = type === TYPE.compressed ? size : Math.ceil(size / 8) * 8;
  return { type, data: buffer.subarray(begin, begin + size), end: small > 0 ? at + 8 : begin + padded };
}

function readRows(matrix: Buffer): Row[] | null {
  const flags = readElement(matrix, 0);
  if (flags.data[0] !== CLASS.struct) return null;
  const dimensions = readElement(matrix, flags.end);
  const name = readElement(matrix, dimensions.end);
  const nameLength = readElement(matrix, name.end);
  const fieldNames = readElement(matrix, nameLength.end);
  const width = nameLength.data.readInt32LE(0);
  if (width < 1) throw new Error('its fields have no names');
  const fields: string[] = [];
  for (let i = 0; i < fieldNames.data.length; i += width)
    fields.push(fieldNames.data.toString('latin1', i, i + width).split('\0')[0]!);
  const count = product(dimensions.data);
  const rows: Row[] = [];
  let at = fieldNames.end;
  for (let i = 0; i < count; i++) {
    const row = new Map<string, Value>();
    for (const field of fields) {
      const element = readElement(matrix, at);
      row.set(field, readValue(element.data));
      at = element.end;
    }
    rows.push(row);
  }
  return rows;
}

function product(dimensions: Buffer): number {
  let count = 1;
  for (let i = 0; i < dimensions.length; i += 4) count *= dimensions.readInt32LE(i);
  return count;
}

function readValue(matrix: Buffer): Value {
  if (matrix.length === 0) return null;
  const flags = readElement(matrix, 0);
  const kind = flags.data[0]!;
  const dimensions = readElement(matrix, flags.end);
  const content = readElement(matrix, readElement(matrix, dimensions.end).end);
  if (kind === CLASS.char) return readText(content);
  if (kind < CLASS.double || kind > CLASS.lastNumeric) return null;
  return readNumbers(content)[0] ?? null;
}

function readText(content: Element): string {
  if (content.type === TYPE.utf8) return content.data.toString('utf8');
  return readNumbers(content).reduce((text, code) => text + String.fromCharCode(code), '');
}

/** Numbers are stored in the smallest type that holds them, text too. */
function readNumbers({ type, data }: Element): number[] {
  const readers: Record<number, [number, (at: number) => number]> = {
    1: [1, (at) => data.readInt8(at)],
    2: [1, (at) => data.readUInt8(at)],
    3: [2, (at) => data.readInt16LE(at)],
    4: [2, (at) => data.readUInt16LE(at)],
    5: [4, (at) => data.readInt32LE(at)],
    6: [4, (at) => data.readUInt32LE(at)],
    7: [4, (at) => data.readFloatLE(at)],
    9: [8, (at) => data.readDoubleLE(at)],
    17: [2, (at) => data.readUInt16LE(at)],
  };
  const reader = readers[type];
  if (!reader) throw new Error(`it holds numbers of an unknown type, ${type}`);
  const [size, read] = reader;
  return Array.from({ length: Math.floor(data.length / size) }, (_, i) => read(i * size));
}
