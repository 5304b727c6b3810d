/**
 * Soft labels that the teachers gave once, kept for all runs that need the same. Labels are kept per (image, view), views.ts
 * says what a view is; the folder of a key holds segments (segment-format.ts), one of each process that wrote, so that any
 * number of processes may read and write at once without locks: nobody changes what another wrote. Two that label the same
 * view at the same time leave two labels, of which any serves.
 *
 * A process that dies loses at most the block that it was writing. Altered bytes are noticed when they are read: the views
 * concerned count as missing, are labelled anew and from then on read from the newer segment.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalKey, hashKey, type LabelKey } from './key.ts';
import { PairIndex } from './pair-index.ts';
import { type LabelRows, RecordCodec } from './record-codec.ts';
import { type Block, type BlockShape, recordsOffset, startBlock } from './segment-format.ts';
import { type SegmentState, Segments } from './segments.ts';

/** Larger batches become several blocks. */
const MAX_BLOCK_BYTES = 8 << 20;

export interface LookupResult extends LabelRows {
  /** Positions in the request that have no label, ascending; their rows are zeros. */
  missing: number[];
}

export interface Coverage {
  /** (Image, view) pairs that have a label, of `total`. */
  labelled: number;
  total: number;
  /** Of all files, with pairs that were labelled twice. */
  sizeBytes: number;
}

export interface VerifyResult {
  /** Whole records, duplicates among them. */
  intactRecords: number;
  damagedRecords: { segment: string; place: number; view: number }[];
  segments: SegmentState[];
}

/**
 * The labels of a key. Only a writable cache makes its folder and a file of its own, with the first `append`. Throws a
 * ZodError for an invalid key, and file errors.
 * @param folder of all keys' labels
 */
export function openLabelCache(folder: string, key: LabelKey, { writable }: { writable: boolean }): LabelCache {
  return new LabelCache(folder, key, writable);
}

/** Gets the record at words[at...], which is that of the request's pair at `position`. */
type TakeRecord = (words: Uint16Array, at: number, position: number) => void;

export class LabelCache {
  readonly #folder: string;
  readonly #codec: RecordCodec;
  readonly #shape: BlockShape;
  readonly #segments: Segments;
  readonly #index: PairIndex;
  readonly #imageCount: number;
  readonly #writable: boolean;
  #damagedRecords = 0;

  constructor(folder: string, key: LabelKey, writable: boolean) {
    const canonical = canonicalKey(key);
    const hash = hashKey(key);
    const own = join(folder, hash);
    this.#folder = own;
    this.#writable = writable;
    this.#codec = new RecordCodec(key);
    this.#imageCount = key.dataset.imageCount;
    this.#shape = { recordBytes: this.#codec.recordBytes, keyMark: Buffer.from(hash, 'hex').subarray(0, 8) };
    this.#segments = new Segments(own, canonical, this.#shape);
    this.#index = new PairIndex(this.#imageCount, this.#codec.recordBytes);
    this.refresh();
  }

  /** Altered records that lookups met so far. */
  get damagedRecords(): number {
    return this.#damagedRecords;
  }

  /** Looks for what other processes wrote meanwhile. `lookup` does so itself when it misses something, and so does whatever counts. */
  refresh(): void {
    this.#segments.refresh((segment, block) => this.#index.add(segment, block));
  }

  /**
   * The labels of image places[i], view views[i], for all i. Throws a RangeError for a place that the dataset does not have.
   * @returns rows [N, C] as record-codec.ts decodes them, and which are missing
   */
  lookup(places: ArrayLike<number>, views: ArrayLike<number>): LookupResult {
    const rows = this.#codec.allocate(places.length);
    const missing = this.#find(places, views, (words, at, position) => this.#codec.decode(words, at, rows, position));
    return { ...rows, missing };
  }

  /** As `lookup`, but the records as they are stored, one after the other; zeros where they are missing. */
  records(places: ArrayLike<number>, views: ArrayLike<number>): { words: Uint16Array; missing: number[] } {
    const recordWords = this.#codec.recordBytes / 2;
    const found = new Uint16Array(places.length * recordWords);
    const missing = this.#find(places, views, (words, at, position) =>
      found.set(words.subarray(at, at + recordWords), position * recordWords),
    );
    return { words: found, missing };
  }

  /**
   * Adds the labels of image places[i], view views[i]. They are visible to all processes when it returns. Throws a RangeError
   * for rows that are no probabilities and for wrong lengths or places, having stored nothing; file errors (ENOSPC, EACCES)
   * lose at most the blocks from the one that failed on.
   * @returns the rows as every later `lookup` returns them: a run that trains on these sees what a run that reads them sees
   */
  append(places: ArrayLike<number>, views: ArrayLike<number>, rows: LabelRows): LabelRows {
    const { decoded, storeError } = this.appendOrDecode(places, views, rows);
    if (storeError) throw storeError;
    return decoded;
  }

  /** As `append`, but for a run that goes on where nothing can be kept: a file error is returned beside the rows. */
  appendOrDecode(
    places: ArrayLike<number>,
    views: ArrayLike<number>,
    rows: LabelRows,
  ): { decoded: LabelRows; storeError: Error | null } {
    if (!this.#writable) throw new Error('These soft labels were opened for reading only.');
    this.#requirePairs(places, views);
    this.#codec.requireShape(rows, places.length);
    const recordWords = this.#codec.recordBytes / 2;
    const words = new Uint16Array(places.length * recordWords);
    const decoded = this.#codec.allocate(places.length);
    for (let i = 0; i < places.length; i++) {
      this.#codec.encode(rows, i, places[i]!, views[i]!, words, i * recordWords);
      this.#codec.decode(words, i * recordWords, decoded, i);
    }
    const step = Math.max(1, Math.floor(MAX_BLOCK_BYTES / this.#codec.recordBytes));
    try {
      mkdirSync(this.#folder, { recursive: true });
      for (let begin = 0; begin < places.length; begin += step) {
        const end = Math.min(begin + step, places.length);
        this.#appendBlock(pairsOf(places, views, begin, end), words.subarray(begin * recordWords, end * recordWords));
      }
    } catch (error) {
      return { decoded, storeError: error as Error };
    }
    return { decoded, storeError: null };
  }

  /**
   * Takes away what this process has written, once all of it stands in the segment `name` too, which somebody has just put beside it.
   * Where a segment of that name was there before nothing is taken away: others may still read what it was.
   */
  dropOwn(name: string): void {
    if (this.#segments.knows(name)) return;
    this.refresh();
    if (this.#segments.knows(name)) this.#segments.dropOwn();
  }

  /** How many of the images have labels for the views 0 to viewsPerImage - 1, whoever gave them. */
  coverage(viewsPerImage: number): Coverage {
    this.refresh();
    let labelled = 0;
    for (let view = 0; view < viewsPerImage; view++) labelled += this.#index.countOf(view);
    return { labelled, total: this.#imageCount * viewsPerImage, sizeBytes: this.#segments.sizeBytes };
  }

  /** Places of the images that have no label for this view, ascending: what is left to do for a run that only labels. */
  unlabelled(view: number): number[] {
    this.refresh();
    return ascending(this.#imageCount).filter((place) => this.#index.recordOf(place, view) === 0);
  }

  /** Reads and checks everything, with duplicates and what no lookup would use. */
  verify(): VerifyResult {
    this.refresh();
    const damagedRecords: VerifyResult['damagedRecords'] = [];
    let records = 0;
    const segments = this.#segments.inspect((segment, { pairs, recordsAt }) => {
      const count = pairs.length / 2;
      records += count;
      const words = new Uint16Array((count * this.#codec.recordBytes) / 2);
      const isRead = this.#segments.read(segment, new Uint8Array(words.buffer), recordsAt);
      for (let i = 0; i < count; i++) {
        const [place, view] = [pairs[2 * i]!, pairs[2 * i + 1]!];
        if (!isRead || !this.#codec.isIntact(words, (i * this.#codec.recordBytes) / 2, place, view))
          damagedRecords.push({ segment: this.#segments.nameOf(segment), place, view });
      }
    });
    return { intactRecords: records - damagedRecords.length, damagedRecords, segments };
  }

  /** Lets go of all files; what was appended is on the disk then. */
  close(): void {
    this.#segments.close();
  }

  #appendBlock(pairs: Uint32Array, words: Uint16Array): void {
    let block: Block | null = null;
    const segment = this.#segments.append((position) => {
      const { bytes, records } = startBlock(pairs, this.#shape, position);
      records.set(words);
      block = { pairs, recordsAt: position + recordsOffset(pairs.length / 2) };
      return bytes;
    });
    this.#index.add(segment, block!);
  }

  /** Gives all intact records of the request to `take`. Returns the positions that have none, ascending. */
  #find(places: ArrayLike<number>, views: ArrayLike<number>, take: TakeRecord): number[] {
    this.#requirePairs(places, views);
    const missing = this.#read(places, views, ascending(places.length), take);
    if (missing.length === 0) return missing;
    this.refresh();
    return this.#read(places, views, missing, take);
  }

  #read(places: ArrayLike<number>, views: ArrayLike<number>, positions: readonly number[], take: TakeRecord): number[] {
    const missing: number[] = [];
    const found: { position: number; record: number }[] = [];
    for (const position of positions) {
      const record = this.#index.recordOf(places[position]!, views[position]!);
      if (record === 0) missing.push(position);
      else found.push({ position, record });
    }
    found.sort((a, b) => a.record - b.record);
    for (let begin = 0, end = 0; begin < found.length; begin = end) {
      // Records that follow one another in a block are read at once: the batch may be the one that another run wrote.
      for (end = begin + 1; end < found.length && this.#followsOn(found[end - 1]!.record, found[end]!.record); end++);
      this.#readRun(places, views, found.slice(begin, end), take, missing);
    }
    return missing.sort((a, b) => a - b);
  }

  #followsOn(record: number, next: number): boolean {
    if (next === record) return true;
    if (next !== record + 1) return false;
    const [a, b] = [this.#index.placeOf(record), this.#index.placeOf(next)];
    return a.segment === b.segment && b.position === a.position + this.#codec.recordBytes;
  }

  /** Reads records that follow one another; `missing` gets the positions of altered ones. */
  #readRun(
    places: ArrayLike<number>,
    views: ArrayLike<number>,
    run: readonly { position: number; record: number }[],
    take: TakeRecord,
    missing: number[],
  ): void {
    const first = run[0]!.record;
    const recordWords = this.#codec.recordBytes / 2;
    const words = new Uint16Array((run.at(-1)!.record - first + 1) * recordWords);
    const { segment, position: from } = this.#index.placeOf(first);
    // Of a file that became shorter the records before its end are as good as ever, so whatever was read is looked at.
    this.#segments.read(segment, new Uint8Array(words.buffer), from);
    for (const { position, record } of run) {
      const at = (record - first) * recordWords;
      const [place, view] = [places[position]!, views[position]!];
      if (this.#codec.isIntact(words, at, place, view)) {
        take(words, at, position);
        continue;
      }
      missing.push(position);
      this.#damagedRecords++;
      this.#index.remove(place, view);
      this.#segments.startNewSegment();
    }
  }

  #requirePairs(places: ArrayLike<number>, views: ArrayLike<number>): void {
    if (places.length !== views.length) throw new RangeError(`${places.length} images, but ${views.length} views.`);
    for (let i = 0; i < places.length; i++) {
      const [place, view] = [places[i]!, views[i]!];
      if (!(Number.isInteger(place) && place >= 0 && place < this.#imageCount))
        throw new RangeError(`There is no image ${place} among ${this.#imageCount}.`);
      if (!(Number.isInteger(view) && view >= 0 && view <= 0xffffffff))
        throw new RangeError(`A view is a whole number from 0 to 2^32 - 1, not ${view}.`);
    }
  }
}

function pairsOf(places: ArrayLike<number>, views: ArrayLike<number>, begin: number, end: number): Uint32Array {
  const pairs = new Uint32Array(2 * (end - begin));
  for (let i = begin; i < end; i++) {
    pairs[2 * (i - begin)] = places[i]!;
    pairs[2 * (i - begin) + 1] = views[i]!;
  }
  return pairs;
}

const ascending = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
