/** Writes pickles opcode by opcode and zip archives byte by byte: files that no Python would write. */
import { crc32 } from 'node:zlib';

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u16 = (value: number) => u32(value).subarray(0, 2);
const code = (opcode: string) => Buffer.from(opcode, 'latin1');

/** A value as Python's pickle module writes it: arrays become tuples, objects dicts. `raw` bytes stand for themselves. */
export function pickled(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (value === null) return code('N');
  if (typeof value === 'boolean') return code(value ? '\x88' : '\x89');
  if (typeof value === 'string') return Buffer.concat([code('X'), u32(Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'bigint') {
    const bytes = Buffer.from(value.toString(16).padStart(20, '0'), 'hex').reverse();
    return Buffer.concat([code('\x8a'), Buffer.of(bytes.length), bytes]);
  }
  if (typeof value === 'number')
    return Number.isInteger(value) ? long(value) : Buffer.concat([code('G'), double(value)]);
  if (Array.isArray(value)) return Buffer.concat([code('('), ...value.map(pickled), code('t')]);
  const items = Object.entries(value as Record<string, unknown>).flatMap(([key, item]) => [
    pickled(key),
    pickled(item),
  ]);
  return Buffer.concat([code('}('), ...items, code('u')]);
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return Buffer.concat([code('\x8a\x08'), bytes]);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

export const global = (module: string, name: string): Buffer => code(`c${module}\n${name}\n`);
export const called = (callable: Buffer, ...args: unknown[]): Buffer =>
  Buffer.concat([callable, pickled(args), code('R')]);
export const whole = (...parts: unknown[]): Buffer =>
  Buffer.concat([code('\x80\x02'), ...parts.map(pickled), code('.')]);

export const storage = (type: string, key: string, length: number, ...more: unknown[]): Buffer =>
  Buffer.concat([pickled(['storage', global('torch', type), key, 'cpu', length, ...more]), code('Q')]);

export function tensor(from: Buffer, shape: number[], strides: number[], offset = 0): Buffer {
  const rebuild = global('torch._utils', '_rebuild_tensor_v2');
  return called(rebuild, from, offset, shape, strides, false, called(global('collections', 'OrderedDict')));
}

export interface ZipFile {
  name: string;
  bytes: Buffer;
  /** What the directory says instead of the truth. */
  crc?: number;
  method?: number;
  flags?: number;
  sizeBytes?: number;
  headerAt?: number;
}

export function zipped(files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, crc = crc32(bytes), method = 0, flags = 0, sizeBytes = bytes.length, headerAt } of files) {
    const lengths = Buffer.concat([u32(crc), u32(sizeBytes), u32(sizeBytes), u16(name.length), u16(0)]);
    const common = Buffer.concat([u16(20), u16(flags), u16(method), u32(0), lengths]);
    const header = Buffer.concat([code('PK\x03\x04'), common, Buffer.from(name)]);
    const rest = Buffer.concat([u16(0), u16(0), u16(0), u32(0), u32(headerAt ?? at), Buffer.from(name)]);
    directory.push(Buffer.concat([code('PK\x01\x02'), u16(20), common, rest]));
    parts.push(header, bytes);
    at += header.length + bytes.length;
  }
  const listed = Buffer.concat(directory);
  const count = u16(files.length);
  const end = Buffer.concat([code('PK\x05\x06'), u16(0), u16(0), count, count, u32(listed.length), u32(at), u16(0)]);
  return Buffer.concat([...parts, listed, end]);
}

/** A checkpoint of one pickle, with storages by their keys. */
export function checkpoint(pickle: Buffer, storages: Record<string, Buffer> = {}, more: Partial<ZipFile> = {}): Buffer {
  return zipped([
    { name: 'archive/data.pkl', bytes: pickle },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes, ...more })),
  ]);
}

/** The layout from before PyTorch 1.6. */
export function legacy(
  pickle: Buffer,
  storages: [key: string, length: bigint, bytes: Buffer][],
  machine: unknown = { little_endian: true },
): Buffer {
  const head = [
    whole(0x1950a86a20f9469cfc6cn),
    whole(1001),
    whole(machine),
    pickle,
    whole(storages.map(([key]) => key)),
  ];
  const blocks = storages.flatMap(([, length, bytes]) => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(length);
    return [count, bytes];
  });
  return Buffer.concat([...head, ...blocks]);
}
