/**
 * Keeps what was read of a dataset's folder, so that a million files are listed once and not before every run. One file for
 * each folder: a line of JSON, then the arrays as they are in memory.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SPLITS, type SplitIndex, type SplitName } from './dataset.ts';
import type { Listing, Watched } from './layouts/layout.ts';
import { PathTable } from './path-table.ts';

const VERSION = 1;
/** A folder may change twice within one tick of its clock: one that changed just before it was listed is listed again. */
const CLOCK_TICK_MS = 2000;
const ALIGNMENT = 8;
const KEPT_FILES = 32;

type NumberArray = Uint8Array | Uint32Array | Int32Array | Float64Array;
const KINDS = { u8: Uint8Array, u32: Uint32Array, i32: Int32Array, f64: Float64Array } as const;
type Kind = keyof typeof KINDS;

/** What a listing was made from, and when, in milliseconds, that began. */
export interface Source {
  watched: Watched;
  listedAt: number;
}

interface Head {
  version: number;
  root: string;
  /** Milliseconds, when listing began. */
  listedAt: number;
  classNames: string[];
  classLabels: string[] | null;
  fingerprint: string;
  problems: string[];
  arrays: { kind: Kind; length: number }[];
}

function fileOf(folder: string, root: string): string {
  return join(folder, `${createHash('sha256').update(root).digest('hex').slice(0, 24)}.index`);
}

/** Never throws: a cache that cannot be written costs time, no more. */
export function saveIndex(folder: string, root: string, listing: Listing, { watched, listedAt }: Source): void {
  const { splits, ...rest } = listing;
  const arrays: NumberArray[] = [
    ...SPLITS.flatMap((split) => arraysOf(splits[split])),
    ...tableArrays(watched.names),
    watched.changed,
    watched.sizes,
  ];
  const head: Head = {
    version: VERSION,
    root,
    listedAt,
    ...rest,
    arrays: arrays.map((array) => ({ kind: kindOf(array), length: array.length })),
  };
  const line = `${JSON.stringify(head)}\n`;
  const parts: Uint8Array[] = [Buffer.from(line + ' '.repeat(padding(Buffer.byteLength(line))))];
  for (const array of arrays) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    parts.push(bytes, new Uint8Array(padding(bytes.length)));
  }
  const target = fileOf(folder, root);
  const building = `${target}.${randomUUID()}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(building, Buffer.concat(parts));
    renameSync(building, target);
    removeOldest(folder);
  } catch {
    removeQuietly(building);
  }
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where nothing can be written, nothing was.
  }
}

/** Folders that are gone leave an index behind. */
function removeOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name));
  const newestFirst = files.map((file) => [file, statSync(file).mtimeMs] as const).sort(([, a], [, b]) => b - a);
  for (const [file] of newestFirst.slice(KEPT_FILES)) rmSync(file, { force: true });
}

/** What was kept for a folder, if nothing that it was made from has changed since; otherwise null. */
export function loadIndex(folder: string, root: string): { listing: Listing; source: Source } | null {
  try {
    const file = readFileSync(fileOf(folder, root));
    const lineEnd = file.indexOf('\n');
    const head = JSON.parse(file.toString('utf8', 0, lineEnd)) as Head;
    if (head.version !== VERSION || head.root !== root) return null;
    const arrays = readArrays(file, lineEnd + 1, head.arrays);
    const next = () => arrays.shift()!;
    const splits = Object.fromEntries(SPLITS.map((split) => [split, splitFrom(next)])) as Record<SplitName, SplitIndex>;
    const names = new PathTable(next() as Uint8Array, next() as Uint32Array);
    const watched: Watched = { names, changed: next() as Float64Array, sizes: next() as Float64Array };
    const source = { watched, listedAt: head.listedAt };
    if (!isCurrent(root, source)) return null;
    const { classNames, classLabels, fingerprint, problems } = head;
    return { listing: { classNames, classLabels, fingerprint, problems, splits }, source };
  } catch {
    // Not there, cut short or from another version: the folder itself is asked.
    return null;
  }
}

/** Whether no folder or file that a listing was made from has changed since. */
export function isCurrent(root: string, { watched: { names, changed, sizes }, listedAt }: Source): boolean {
  for (let i = 0; i < names.length; i++) {
    const path = names.at(i).length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), names.at(i)]);
    const found = statSync(path, { throwIfNoEntry: false });
    if ((found?.ctimeMs ?? -1) !== changed[i] || (found?.isFile() ? found.size : 0) !== sizes[i]) return false;
    if (changed[i]! > listedAt - CLOCK_TICK_MS) return false;
  }
  return true;
}

function arraysOf({ files, labels, entries }: SplitIndex): NumberArray[] {
  const { shards, offsets, lengths } = entries ?? {
    shards: new Uint32Array(),
    offsets: new Float64Array(),
    lengths: new Uint32Array(),
  };
  return [...tableArrays(files), labels, shards, offsets, lengths];
}

function tableArrays({ bytes, starts }: PathTable): NumberArray[] {
  return [bytes, starts];
}

function splitFrom(next: () => NumberArray): SplitIndex {
  const files = new PathTable(next() as Uint8Array, next() as Uint32Array);
  const labels = next() as Int32Array;
  const [shards, offsets, lengths] = [next() as Uint32Array, next() as Float64Array, next() as Uint32Array];
  return { files, labels, entries: shards.length === 0 ? null : { shards, offsets, lengths } };
}

/** Views into the file's bytes, which Node reads into a buffer of their own. */
function readArrays(file: Buffer, begin: number, kinds: Head['arrays']): NumberArray[] {
  const arrays: NumberArray[] = [];
  let at = begin + padding(begin);
  for (const { kind, length } of kinds) {
    const array = new KINDS[kind](file.buffer as ArrayBuffer, file.byteOffset + at, length);
    if (array.byteOffset + array.byteLength > file.byteOffset + file.length) throw new RangeError('cut short');
    arrays.push(array);
    at += array.byteLength + padding(array.byteLength);
  }
  return arrays;
}

function kindOf(array: NumberArray): Kind {
  return (Object.keys(KINDS) as Kind[]).find((kind) => array instanceof KINDS[kind])!;
}

const padding = (length: number) => (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
