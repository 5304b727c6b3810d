/** The files of one key's folder as this process sees them: what it has read of each, and the one that it writes. */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { LABELS_ENDING } from '@mealtable/protocol/records';
import { type Block, type BlockShape, encodeSegmentHead, readSegmentHead, scanBlocks } from './segment-format.ts';

interface Segment {
  name: string;
  fd: number;
  /** Up to where it has been read; 0: not even its head was there. */
  next: number;
  /** The size at the last look. */
  size: number;
  /** It belongs to another key: nothing of it is used. */
  isForeign: boolean;
  /** This process made it. */
  isOwn: boolean;
  /** This process has deleted it, and nothing refers to it any more. */
  isGone: boolean;
}

/** What is wrong with a segment. */
export interface SegmentState {
  name: string;
  sizeBytes: number;
  isForeign: boolean;
  /** Not whole blocks: a torn or unfinished end, or bytes that were altered. */
  unreadableBytes: number;
}

export class Segments {
  readonly #folder: string;
  readonly #canonicalKey: string;
  readonly #shape: BlockShape;
  readonly #segments: Segment[] = [];
  readonly #known = new Set<string>();
  /** The number of the segment that this process extends. */
  #own: number | null = null;

  constructor(folder: string, canonicalKey: string, shape: BlockShape) {
    this.#folder = folder;
    this.#canonicalKey = canonicalKey;
    this.#shape = shape;
  }

  /** Reads what has been written since the last time. Older segments come first. */
  refresh(onBlock: (segment: number, block: Block) => void): void {
    for (const name of this.#listNew()) {
      const fd = openIfThere(join(this.#folder, name));
      if (fd === null) continue;
      this.#known.add(name);
      this.#segments.push({ name, fd, next: 0, size: -1, isForeign: false, isOwn: false, isGone: false });
    }
    for (let number = 0; number < this.#segments.length; number++) {
      const segment = this.#segments[number]!;
      if (segment.isGone) continue;
      const { size } = fstatSync(segment.fd);
      if (segment.isOwn || segment.isForeign || size === segment.size) continue;
      segment.size = size;
      if (segment.next === 0) {
        const head = readSegmentHead(segment.fd);
        if (head === null) continue;
        segment.isForeign = head.canonicalKey !== this.#canonicalKey;
        segment.next = head.blocksAt;
      }
      if (!segment.isForeign)
        segment.next = scanBlocks(segment.fd, segment.next, size, this.#shape, (b) => onBlock(number, b)).next;
    }
  }

  /** Reads all segments from their beginning, calls back for their whole blocks, and says what else is in them. */
  inspect(onBlock: (segment: number, block: Block) => void): SegmentState[] {
    return this.#segments.flatMap(({ name, fd, isGone }, number) => {
      if (isGone) return [];
      const { size } = fstatSync(fd);
      const head = readSegmentHead(fd);
      const isForeign = head !== null && head.canonicalKey !== this.#canonicalKey;
      if (head === null || isForeign) return { name, sizeBytes: size, isForeign, unreadableBytes: size };
      const { next, skippedBytes } = scanBlocks(fd, head.blocksAt, size, this.#shape, (b) => onBlock(number, b));
      return { name, sizeBytes: size, isForeign, unreadableBytes: skippedBytes + size - next };
    });
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, { fd, isGone }) => (isGone ? sum : sum + fstatSync(fd).size), 0);
  }

  nameOf(segment: number): string {
    return this.#segments[segment]!.name;
  }

  /** Fills `bytes` from `position`; false where the file ends before or cannot be read there. */
  read(segment: number, bytes: Uint8Array, position: number): boolean {
    try {
      let done = 0;
      while (done < bytes.length) {
        const count = readSync(this.#segments[segment]!.fd, bytes, done, bytes.length - done, position + done);
        if (count === 0) return false;
        done += count;
      }
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EIO') return false;
      throw error;
    }
  }

  /**
   * Appends what `build` makes for the position it gets, in one write, to this process's own segment. Throws file errors
   * (ENOSPC, EACCES), having cut off what was written of the block.
   * @returns the number of the segment
   */
  append(build: (position: number) => Uint8Array): number {
    const number = this.#own ?? this.#create();
    const segment = this.#segments[number]!;
    const bytes = build(segment.next);
    this.#write(number, bytes);
    segment.next += bytes.length;
    return number;
  }

  knows(name: string): boolean {
    return this.#known.has(name);
  }

  /** Deletes all that this process has written. The caller knows that nothing of it is read any more. */
  dropOwn(): void {
    for (const segment of this.#segments) {
      if (!segment.isOwn || segment.isGone) continue;
      rmSync(join(this.#folder, segment.name), { force: true });
      closeSync(segment.fd);
      segment.isGone = true;
    }
    this.#own = null;
  }

  /** Lets the next block go into a segment newer than all there are, so that it counts for more than what they hold. */
  startNewSegment(): void {
    this.#own = null;
  }

  /** Makes what this process wrote safe from power cuts and lets go of all files. */
  close(): void {
    for (const { fd, isOwn, isGone } of this.#segments) {
      if (isGone) continue;
      if (isOwn) fsyncSync(fd);
      closeSync(fd);
    }
    this.#segments.length = 0;
    this.#own = null;
  }

  #listNew(): string[] {
    try {
      const names = readdirSync(this.#folder);
      return names.filter((name) => name.endsWith(LABELS_ENDING) && !this.#known.has(name)).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Names begin with the time, so that they sort by age; two processes never have the same. */
  #create(): number {
    const name = `${Date.now().toString(36).padStart(9, '0')}-${randomUUID()}${LABELS_ENDING}`;
    const fd = openSync(join(this.#folder, name), 'wx+');
    const head = encodeSegmentHead(this.#canonicalKey);
    try {
      writeAll(fd, head, 0);
    } catch (error) {
      // Nobody finds anything in it; the next try makes another.
      closeSync(fd);
      rmSync(join(this.#folder, name), { force: true });
      throw error;
    }
    this.#known.add(name);
    this.#own =
      this.#segments.push({ name, fd, next: head.length, size: 0, isForeign: false, isOwn: true, isGone: false }) - 1;
    return this.#own;
  }

  #write(number: number, bytes: Uint8Array): void {
    const { fd, next } = this.#segments[number]!;
    try {
      writeAll(fd, bytes, next);
    } catch (error) {
      try {
        ftruncateSync(fd, next);
      } catch {
        // The torn end stays, and readers pass over it: the next block goes into a new segment.
        this.startNewSegment();
      }
      throw error;
    }
  }
}

/** Null: its writer had no room for a head and took it away again, or somebody tidied up. */
function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** One call unless the system takes less than all of it. */
function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
