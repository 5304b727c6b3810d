/**
 * Tar shards as WebDataset writes them, for disks where a million small files are slow: train-000000.tar … and val-000000.tar …
 * with 0001.jpg beside 0001.cls or 0001.json. Images are read where they lie, by an index of their offsets, so that their order
 * stays a function of seed and step, which a buffer of shuffled images would not allow.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SPLITS, type SplitIndex, type SplitName } from '../dataset.ts';
import { PathTableBuilder } from '../path-table.ts';
import { readClassLabels } from './class-labels.ts';
import { checkClasses, type Listing } from './layout.ts';
import { listTar, readSpan, type TarEntry } from './tar.ts';
import type { Walk } from './walk.ts';

const SHARD_NAME: Record<SplitName, RegExp> = {
  train: /^(imagenet1k-)?train[-_.]?.*\.tar$/,
  val: /^(imagenet1k-)?val(idation)?[-_.]?.*\.tar$/,
};
const IMAGE_ENDING = /^(jpe?g|png)$/;
const MAX_LABEL_BYTES = 1024 * 1024;
/** Above it a number is a mistake, not a class. */
const MAX_CLASSES = 100_000;

/** Names of a folder's shards; null when it holds none, and so is another layout. */
export async function findShards(root: string): Promise<Record<SplitName, string[]> | null> {
  const names = await readdir(root).catch(() => []);
  const of = (split: SplitName) => names.filter((name) => SHARD_NAME[split].test(name)).sort();
  const shards = { train: of('train'), val: of('val') };
  return shards.train.length + shards.val.length > 0 ? shards : null;
}

export async function readShards(walk: Walk, shards: Record<SplitName, string[]>): Promise<Listing> {
  const problems: string[] = [];
  const hash = createHash('sha256');
  const splits = {} as Record<SplitName, SplitIndex>;
  // Validation alone will do for evaluations.
  if (shards.val.length === 0)
    problems.push(
      `${walk.root} holds no val-*.tar. Put the shards of both splits into it, or of val alone to evaluate.`,
    );
  for (const split of SPLITS) {
    splits[split] = await readSplit(walk, shards[split], hash, problems);
  }
  const labels = await readClassLabels(walk, ['']);
  const seen = SPLITS.reduce((max, split) => splits[split].labels.reduce((a, b) => Math.max(a, b), max), -1) + 1;
  // A file with a line for each class names the classes: synsets, or whatever it begins its lines with.
  const named = [...labels.keys()];
  const classNames = named.length >= seen && seen > 0 ? named : Array.from({ length: seen }, (_, i) => String(i));
  if (problems.length === 0)
    problems.push(
      ...checkClasses(
        classNames,
        splits,
        () => false,
        (split) => `${split}-*.tar`,
        shards.train.length === 0,
      ).map((text) => text.replace('Add the folder, or remove it from', 'Add images of it, or take it out of')),
    );
  return {
    classNames,
    classLabels: classNames === named ? [...labels.values()] : null,
    splits,
    fingerprint: hash.digest('hex'),
    problems,
  };
}

async function readSplit(
  walk: Walk,
  names: readonly string[],
  hash: ReturnType<typeof createHash>,
  problems: string[],
): Promise<SplitIndex> {
  const files = new PathTableBuilder();
  const [labels, shards, offsets, lengths]: number[][] = [[], [], [], []];
  for (const [shard, name] of names.entries()) {
    files.add(Buffer.from(name));
    walk.watch(Buffer.from(name));
    const before = labels!.length;
    try {
      for await (const { image, label } of samplesOf(join(walk.root, name))) {
        hash.update(`${image.name}\0${image.size}\0${label}\n`);
        labels!.push(label);
        shards!.push(shard);
        offsets!.push(image.offset);
        lengths!.push(image.size);
      }
      if (labels!.length === before) problems.push(`${name} holds no images with labels. Remove it.`);
    } catch (error) {
      problems.push(`${name} cannot be used: ${(error as Error).message}. Write it again.`);
    }
  }
  return {
    files: files.build(),
    labels: Int32Array.from(labels!),
    entries: {
      shards: Uint32Array.from(shards!),
      offsets: Float64Array.from(offsets!),
      lengths: Uint32Array.from(lengths!),
    },
  };
}

interface Sample {
  image: TarEntry;
  label: number;
}

/** Files of the same name up to its first dot belong together, and follow one another. */
async function* samplesOf(path: string): AsyncGenerator<Sample> {
  let key: string | null = null;
  let parts = new Map<string, TarEntry>();
  for await (const entry of listTar(path)) {
    const [, stem, ending] = entry.name.match(/^((?:.*\/)?[^/.]+)\.([^/]*)$/) ?? [];
    if (!stem || ending === undefined) continue;
    if (stem !== key) {
      if (key !== null) yield* toSample(path, key, parts);
      key = stem;
      parts = new Map();
    }
    parts.set(ending.toLowerCase(), entry);
  }
  if (key !== null) yield* toSample(path, key, parts);
}

function* toSample(path: string, key: string, parts: ReadonlyMap<string, TarEntry>): Generator<Sample> {
  const image = [...parts].find(([ending]) => IMAGE_ENDING.test(ending))?.[1];
  if (!image) return;
  const label = labelOf(path, parts);
  if (label === null || !Number.isInteger(label) || label < 0 || label >= MAX_CLASSES)
    throw new Error(`its image ${key} has no class number in ${key}.cls or as "label" in ${key}.json`);
  yield { image, label };
}

function labelOf(path: string, parts: ReadonlyMap<string, TarEntry>): number | null {
  const cls = parts.get('cls');
  if (cls) {
    const text = readEntry(path, cls).trim();
    return /^\d+$/.test(text) ? Number(text) : null;
  }
  const json = parts.get('json');
  if (!json) return null;
  try {
    const content = JSON.parse(readEntry(path, json)) as Record<string, unknown>;
    const value = content.label ?? content.cls;
    return typeof value === 'number' ? value : null;
  } catch {
    return null;
  }
}

function readEntry(path: string, { content, offset, size }: TarEntry): string {
  if (content) return content.toString('utf8');
  if (size > MAX_LABEL_BYTES) throw new Error(`a label in it is ${size} bytes long`);
  const file = openSync(path, 'r');
  try {
    return readSpan(file, offset, size).toString('utf8');
  } finally {
    closeSync(file);
  }
}
