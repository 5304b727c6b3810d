/**
 * A set of labels as files that never change: what a run that labels gives to other hosts. Each part is a segment
 * (segment-format.ts) with the labels of a fixed range of (image, view) pairs, counted view by view. The same labels make the same
 * bytes, whoever writes them, so the hub keeps them once. A part lies in the folder of its key, where every cache finds it.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { LABELS_ENDING } from '@mealtable/protocol/records';
import { canonicalKey, hashKey, type LabelKey } from './key.ts';
import { RecordCodec } from './record-codec.ts';
import { type BlockShape, encodeSegmentHead, readSegmentHead, scanBlocks, startBlock } from './segment-format.ts';

/** Few enough that a part is done within minutes, so that little is lost with a host. */
export const LABELS_PER_PART = 1 << 15;
/** Larger sets have larger parts. */
const MAX_PARTS = 500;
const MAX_BLOCK_RECORDS = 4096;
const MAX_BLOCK_BYTES = 4 << 20;
/** Before every name that begins with a time: what was labelled anew because a part is damaged counts for more. */
const NAME_START = '000000000-part';

/** The labels of the pairs `first` to `end` - 1. Pair n is view floor(n / images) of the image at place n mod images. */
export interface LabelPart {
  name: string;
  first: number;
  end: number;
}

export interface PartFile {
  name: string;
  sha256: string;
  sizeBytes: number;
}

/** Records of pairs, one after the other; those at the `missing` positions have none. */
export type ReadRecords = (places: number[], views: number[]) => { words: Uint16Array; missing: number[] };

/** The parts of a set, in the order in which they are made. */
export function listParts(imageCount: number, viewsPerImage: number, labelsPerPart = LABELS_PER_PART): LabelPart[] {
  const total = imageCount * viewsPerImage;
  const size = Math.max(labelsPerPart, Math.ceil(total / MAX_PARTS));
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => {
    const [first, end] = [i * size, Math.min(total, (i + 1) * size)];
    return { name: `${NAME_START}-${first}-${end}${LABELS_ENDING}`, first, end };
  });
}

export class LabelParts {
  readonly #folder: string;
  readonly #key: LabelKey;
  readonly #codec: RecordCodec;
  readonly #shape: BlockShape;

  /** @param folder of all keys' labels */
  constructor(folder: string, key: LabelKey) {
    const hash = hashKey(key);
    this.#folder = join(folder, hash);
    this.#key = key;
    this.#codec = new RecordCodec(key);
    this.#shape = { recordBytes: this.#codec.recordBytes, keyMark: Buffer.from(hash, 'hex').subarray(0, 8) };
  }

  pathOf({ name }: Pick<LabelPart, 'name'>): string {
    return join(this.#folder, name);
  }

  /** The part's file, read from its first byte to its last; null where there is none or something in it is altered. */
  find(part: LabelPart): PartFile | null {
    let fd: number;
    try {
      fd = openSync(this.pathOf(part), 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    try {
      return this.#isIntact(fd, part) ? { name: part.name, ...hashOpen(fd) } : null;
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Writes what there is of the part's labels, the whole file or none of it. Pairs whose images cannot be read have no labels and are
   * left out. @throws file errors (ENOSPC, EACCES)
   */
  write(part: LabelPart, read: ReadRecords): PartFile {
    mkdirSync(this.#folder, { recursive: true });
    const path = this.pathOf(part);
    const unfinished = `${path}.${process.pid}.tmp`;
    const fd = openSync(unfinished, 'w+');
    try {
      const file = this.#writeTo(fd, part, read);
      fsyncSync(fd);
      renameSync(unfinished, path);
      return { name: part.name, ...file };
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  #writeTo(fd: number, { first, end }: LabelPart, read: ReadRecords): Omit<PartFile, 'name'> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const put = (bytes: Uint8Array) => {
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, sizeBytes + done);
      hash.update(bytes);
      sizeBytes += bytes.length;
    };
    put(encodeSegmentHead(canonicalKey(this.#key)));
    const { recordBytes } = this.#shape;
    const recordWords = recordBytes / 2;
    const step = Math.max(1, Math.min(MAX_BLOCK_RECORDS, Math.floor(MAX_BLOCK_BYTES / recordBytes)));
    for (let begin = first; begin < end; begin += step) {
      const numbers = Array.from({ length: Math.min(step, end - begin) }, (_, i) => begin + i);
      const { words, missing } = read(numbers.map(this.#placeOf), numbers.map(this.#viewOf));
      const left = new Set(missing);
      const kept = [...numbers.keys()].filter((position) => !left.has(position));
      if (kept.length === 0) continue;
      const pairs = Uint32Array.from(kept.flatMap((i) => [this.#placeOf(numbers[i]!), this.#viewOf(numbers[i]!)]));
      const { bytes, records } = startBlock(pairs, this.#shape, sizeBytes);
      for (const [to, from] of kept.entries())
        records.set(words.subarray(from * recordWords, (from + 1) * recordWords), to * recordWords);
      put(bytes);
    }
    return { sha256: hash.digest('hex'), sizeBytes };
  }

  /** Whole blocks of this key up to the end, with pairs of the part in their order, and every record as it was written. */
  #isIntact(fd: number, { first, end }: LabelPart): boolean {
    const head = readSegmentHead(fd);
    if (head === null || head.canonicalKey !== canonicalKey(this.#key)) return false;
    const { size } = fstatSync(fd);
    let last = first - 1;
    let isIntact = true;
    const { next, skippedBytes } = scanBlocks(fd, head.blocksAt, size, this.#shape, ({ pairs, recordsAt }) => {
      const bytes = new Uint8Array((pairs.length / 2) * this.#shape.recordBytes);
      const isWhole = readSync(fd, bytes, 0, bytes.length, recordsAt) === bytes.length;
      const words = new Uint16Array(bytes.buffer);
      for (let i = 0; i < pairs.length / 2; i++) {
        const [place, view] = [pairs[2 * i]!, pairs[2 * i + 1]!];
        const number = view * this.#key.dataset.imageCount + place;
        isIntact &&= isWhole && number > last && number < end;
        isIntact &&= this.#codec.isIntact(words, (i * this.#shape.recordBytes) / 2, place, view);
        last = number;
      }
    });
    return isIntact && skippedBytes === 0 && next === size;
  }

  readonly #placeOf = (number: number): number => number % this.#key.dataset.imageCount;
  readonly #viewOf = (number: number): number => Math.floor(number / this.#key.dataset.imageCount);
}

function hashOpen(fd: number): Omit<PartFile, 'name'> {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(1 << 20);
  let sizeBytes = 0;
  for (;;) {
    const count = readSync(fd, chunk, 0, chunk.length, sizeBytes);
    if (count === 0) return { sha256: hash.digest('hex'), sizeBytes };
    hash.update(chunk.subarray(0, count));
    sizeBytes += count;
  }
}
