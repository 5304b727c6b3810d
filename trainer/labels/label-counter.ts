/**
 * How many labels a set has, for who only wants to tell: reads heads and pairs of blocks, never labels, and of those only what is
 * new since the last time. Unlike LabelCache it holds no place of any label, and one bit for an image of views that are not full yet.
 */
import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { hashKey, LabelKey } from './key.ts';
import { RecordCodec } from './record-codec.ts';
import { type Block, type BlockShape, readSegmentHead, scanBlocks } from './segment-format.ts';

const ENDING = '.labels';
/** Read of a segment before other work of the process gets its turn. */
const SLICE_BYTES = 64 << 20;

interface Segment {
  /** Up to where it has been read; 0: not even its head was there. */
  next: number;
  size: number;
}
interface ViewCount {
  /** A bit for each image that has a label; null once all have. */
  images: Uint8Array | null;
  labelled: number;
}

export class LabelCounter {
  readonly #folder: string;
  readonly #hash: string;
  readonly #segments = new Map<string, Segment>();
  readonly #views = new Map<number, ViewCount>();
  #key: LabelKey | null = null;
  #shape: BlockShape | null = null;

  /** @param folder of all keys' labels @param hash of the key, from `hashKey` */
  constructor(folder: string, hash: string) {
    this.#folder = join(folder, hash);
    this.#hash = hash;
  }

  /** Null until a segment has been read whose head is this set's and of a version that is understood here. */
  get key(): LabelKey | null {
    return this.#key;
  }

  /** The name of the newest segment, which begins with the time when it was begun; '' where there is none. */
  get newest(): string {
    return [...this.#segments.keys()].sort().at(-1) ?? '';
  }

  /** Images that have a label for each of the views 0, 1, ... up to the last that has any below `maxViews`. */
  countViews(maxViews: number): number[] {
    const last = Math.max(-1, ...[...this.#views.keys()].filter((view) => view < maxViews));
    return Array.from({ length: last + 1 }, (_, view) => this.#views.get(view)?.labelled ?? 0);
  }

  /** Reads what has been written since the last time. Rejects with file errors (EACCES, EIO). */
  async refresh(): Promise<void> {
    const sizes = this.#sizes();
    const hasLost = ([name, { next }]: [string, Segment]) => (sizes.get(name) ?? -1) < next;
    if ([...this.#segments].some(hasLost)) {
      this.#segments.clear();
      this.#views.clear();
    }
    for (const [name, size] of sizes) {
      const segment = this.#segments.get(name) ?? { next: 0, size: 0 };
      this.#segments.set(name, segment);
      if (size === segment.size) continue;
      segment.size = size;
      await this.#read(join(this.#folder, name), segment);
    }
  }

  #sizes(): Map<string, number> {
    try {
      const names = readdirSync(this.#folder).filter((name) => name.endsWith(ENDING));
      const sizes = names.map((name) => [name, statSync(join(this.#folder, name), { throwIfNoEntry: false })] as const);
      return new Map(sizes.flatMap(([name, stats]) => (stats ? [[name, stats.size] as const] : [])));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
      throw error;
    }
  }

  async #read(path: string, segment: Segment): Promise<void> {
    const fd = openIfThere(path);
    if (fd === null) return;
    try {
      if (segment.next === 0) {
        const head = readSegmentHead(fd);
        if (head === null || !this.#takeKey(head.canonicalKey)) return;
        segment.next = head.blocksAt;
      }
      let slice = SLICE_BYTES;
      for (let end = segment.next; end < segment.size; ) {
        end = Math.min(segment.size, segment.next + slice);
        const { next } = scanBlocks(fd, segment.next, end, this.#shape!, (block) => this.#count(block));
        // A block, or altered bytes, longer than the slice: it is looked at again with more.
        slice = next === segment.next ? 2 * slice : SLICE_BYTES;
        segment.next = next;
        await turn();
      }
    } finally {
      closeSync(fd);
    }
  }

  /** False for the key of another set, or one of another version. */
  #takeKey(canonicalKey: string): boolean {
    const key = LabelKey.safeParse(JSON.parse(canonicalKey)).data;
    if (key === undefined || hashKey(key) !== this.#hash) return false;
    this.#key = key;
    const keyMark = Buffer.from(this.#hash, 'hex').subarray(0, 8);
    this.#shape = { recordBytes: new RecordCodec(key).recordBytes, keyMark };
    return true;
  }

  #count({ pairs }: Block): void {
    const { imageCount } = this.#key!.dataset;
    for (let i = 0; i < pairs.length; i += 2) {
      const [place, view] = [pairs[i]!, pairs[i + 1]!];
      if (place >= imageCount) continue;
      let count = this.#views.get(view);
      if (count === undefined) {
        count = { images: new Uint8Array(Math.ceil(imageCount / 8)), labelled: 0 };
        this.#views.set(view, count);
      }
      if (count.images === null) continue;
      const bit = 1 << (place & 7);
      if (count.images[place >>> 3]! & bit) continue;
      count.images[place >>> 3]! |= bit;
      if (++count.labelled === imageCount) count.images = null;
    }
  }
}

/** Null: somebody tidied up since the folder was read. */
function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
