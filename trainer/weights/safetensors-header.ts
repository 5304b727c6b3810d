/**
 * The header of a safetensors file: 8 bytes of little-endian length, then that many bytes of JSON that name each tensor's
 * dtype, shape and place in the data behind it. Format: https://github.com/huggingface/safetensors#format
 */
import { z } from 'zod';
import { findRepeatedKey } from './json-keys.ts';
import type { StoredDtype } from './stored-dtype.ts';
import { isStoredDtype, STORED_BYTES, storedBytes } from './stored-dtype.ts';
import type { TensorInfo } from './tensor-source.ts';

export type Metadata = Record<string, string>;

/** Some fifty times what the largest network's takes; parsed, a header is many times as large. */
export const MAX_HEADER_BYTES = 10_000_000;

/** Where one tensor lies, in bytes from the start of the data. */
export interface TensorPlace {
  name: string;
  dtype: StoredDtype;
  shape: number[];
  begin: number;
  end: number;
}

/** Of a tensor: what is longer could not be shown in a message. */
export const MAX_NAME_CHARACTERS = 500;

const Dimension = z.int().min(0);
const HeaderEntry = z.strictObject({
  dtype: z.string(),
  shape: z.array(Dimension),
  data_offsets: z.tuple([Dimension, Dimension]),
});
const HeaderMetadata = z.record(z.string(), z.string());

/** Header bytes (with their length in front) and the places of all tensors, in the order of the data. */
export function encodeHeader(
  tensors: ReadonlyMap<string, TensorInfo>,
  metadata: Metadata,
): { bytes: Buffer; places: TensorPlace[] } {
  // Wide types first keeps every tensor aligned to its own size, which PyTorch's memory-mapped loading needs.
  const ordered = [...tensors].sort(([, a], [, b]) => STORED_BYTES[b.dtype] - STORED_BYTES[a.dtype]);
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const places: TensorPlace[] = [];
  let offset = 0;
  for (const [name, { dtype, shape }] of ordered) {
    const place = { name, dtype, shape: [...shape], begin: offset, end: offset + storedBytes(dtype, shape) };
    places.push(place);
    header[name] = { dtype, shape, data_offsets: [place.begin, place.end] };
    offset = place.end;
  }
  const json = Buffer.from(JSON.stringify(header));
  // Trailing spaces are allowed; they bring the data to a multiple of 8 bytes in the file.
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  return { bytes, places };
}

/**
 * Parses the JSON of a header whose data is `dataBytes` long. Throws an Error that says what is wrong with it; the caller adds
 * the file's name. The data must be covered exactly: no overlap, no gap, nothing behind the end.
 */
export function decodeHeader(json: Buffer, dataBytes: number): { places: TensorPlace[]; metadata: Metadata } {
  const text = json.toString('utf8');
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new Error('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new Error('its header is not a JSON object');
  }
  const repeated = findRepeatedKey(text);
  if (repeated !== null) throw new Error(`its header names "${repeated}" twice`);
  let metadata: Metadata = {};
  const places: TensorPlace[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name.length > MAX_NAME_CHARACTERS) throw new Error(`a name in its header has ${name.length} characters`);
    if (name === '__metadata__') {
      const parsed = HeaderMetadata.safeParse(value);
      if (!parsed.success) throw new Error('its metadata is not a map from text to text');
      metadata = parsed.data;
    } else {
      places.push(decodePlace(name, value, dataBytes));
    }
  }
  requireExactCover(places, dataBytes);
  return { places, metadata };
}

function decodePlace(name: string, value: unknown, dataBytes: number): TensorPlace {
  const parsed = HeaderEntry.safeParse(value);
  if (!parsed.success) throw new Error(`its header describes tensor "${name}" wrongly (${issueOf(parsed.error)})`);
  const { dtype, shape, data_offsets } = parsed.data;
  if (!isStoredDtype(dtype)) {
    throw new Error(`tensor "${name}" has type ${dtype}, which is none of ${Object.keys(STORED_BYTES).join(', ')}`);
  }
  const [begin, end] = data_offsets;
  if (begin > end || end > dataBytes) {
    throw new Error(`tensor "${name}" lies at bytes ${begin} to ${end} of data that is ${dataBytes} bytes long`);
  }
  const bytes = storedBytes(dtype, shape);
  if (bytes !== end - begin) {
    throw new Error(
      `tensor "${name}" of ${dtype} [${shape}] needs ${bytes} bytes, but ${end - begin} are set aside for it`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function requireExactCover(places: readonly TensorPlace[], dataBytes: number): void {
  let reached = 0;
  for (const { name, begin, end } of [...places].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < reached) throw new Error(`tensor "${name}" overlaps another one at byte ${begin}`);
    if (begin > reached) throw new Error(`bytes ${reached} to ${begin} of its data belong to no tensor`);
    reached = end;
  }
  if (reached !== dataBytes) throw new Error(`bytes ${reached} to ${dataBytes} of its data belong to no tensor`);
}

function issueOf(error: z.ZodError): string {
  const issue = error.issues[0]!;
  return issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message;
}
