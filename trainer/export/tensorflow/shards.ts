/** TensorFlow.js's weights files: all numbers one after the other, cut into pieces that browsers keep in their caches. */
import type { ExportFile } from '../export-file.ts';

const SHARD_BYTES = 4 * 1024 * 1024;

export interface WeightsEntry {
  name: string;
  shape: readonly number[];
  dtype: 'float32' | 'int32';
  /** Of its numbers. */
  byteLength: number;
  load(): Promise<Uint8Array>;
}

export interface Shards {
  /** `weightsManifest` of model.json. */
  manifest: object[];
  files: ExportFile[];
}

export function makeShards(entries: readonly WeightsEntry[]): Shards {
  const total = entries.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const count = Math.max(1, Math.ceil(total / SHARD_BYTES));
  const paths = Array.from({ length: count }, (_, k) => `group1-shard${k + 1}of${count}.bin`);
  const weights = entries.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  const files = paths.map((path, k) => ({
    path,
    chunks: () => slice(entries, k * SHARD_BYTES, Math.min((k + 1) * SHARD_BYTES, total)),
  }));
  return { manifest: [{ paths, weights }], files };
}

/** Bytes `begin` to `end` of all entries together. One that lies across a border is made twice: better than kept in memory. */
async function* slice(entries: readonly WeightsEntry[], begin: number, end: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const { byteLength, load } of entries) {
    const [from, to] = [Math.max(begin - at, 0), Math.min(end - at, byteLength)];
    if (from < to) yield (await load()).subarray(from, to);
    at += byteLength;
  }
}
