/**
 * The file that a trainer's process prints one stream into. It is kept below a bound: when it has grown too long, it is
 * emptied, and a note beside it says what it held.
 */
import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { z } from 'zod';
import { hasCode, readJson, writeFileAtomic } from './atomic-file.ts';

const Emptied = z.object({
  /** Segments that came before what the file holds now. */
  seq: z.int().min(0),
  /** Bytes that did. */
  bytes: z.int().min(0),
  /** How many of them nobody has read. */
  lost: z.int().min(0),
  /** Size of the file that is to be emptied; null once it is. */
  pending: z.int().nullable(),
});
type Emptied = z.infer<typeof Emptied>;

export class OutputFile {
  readonly path: string;
  #emptied: Emptied;

  constructor(path: string) {
    this.path = path;
    this.#emptied = readJson(this.#note, Emptied) ?? { seq: 0, bytes: 0, lost: 0, pending: null };
    // An agent was killed between the note and the emptying, or right after it.
    if (this.#emptied.pending !== null) this.#finishEmptying(this.#emptied.pending);
  }

  /** Number of the last segment before the file's first byte. */
  get firstSeq(): number {
    return this.#emptied.seq;
  }
  /** Bytes of the stream before the file's first. */
  get firstByte(): number {
    return this.#emptied.bytes;
  }
  /** Bytes of the stream that were dropped unread. */
  get lostBytes(): number {
    return this.#emptied.lost;
  }

  /** Bytes of the stream so far, and when the file was begun and last written to; null before it is. */
  look(): { end: number; size: number; bornAt: number; writtenAt: number } | null {
    const stats = statSync(this.path, { throwIfNoEntry: false });
    if (!stats) return null;
    const writtenAt = Math.round(stats.mtimeMs);
    // Some file systems know no time of birth, and say 0 or another time.
    const bornAt = Math.min(Math.round(stats.birthtimeMs || stats.mtimeMs), writtenAt);
    return { end: this.firstByte + stats.size, size: stats.size, bornAt, writtenAt };
  }

  /** @param offset in the stream @returns the bytes there, none at the end */
  read(offset: number, maxBytes: number): Buffer {
    let fd: number;
    try {
      fd = openSync(this.path, 'r');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return Buffer.alloc(0);
      throw error;
    }
    try {
      const at = offset - this.firstByte;
      const bytes = Buffer.alloc(Math.max(0, Math.min(maxBytes, fstatSync(fd).size - at)));
      return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, at));
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Drops what the file holds: all of it read, or else some of it lost. What is printed at this very moment may go with it.
   * @param seq number of the last segment that was read @param readTo bytes of the stream that were read
   * @returns false when the file holds more than was read, and that must not be lost
   * @throws file errors of the note; the file is then as it was
   */
  empty(seq: number, readTo: number, mayLose: boolean): boolean {
    const { size } = statSync(this.path);
    const bytes = this.firstByte + size;
    const isRead = bytes === readTo;
    if (!isRead && !mayLose) return false;
    // One number more stands for what nobody has read.
    this.#write({ seq: isRead ? seq : seq + 1, bytes, lost: this.lostBytes + bytes - readTo, pending: size });
    this.#finishEmptying(size);
    return true;
  }

  get #note(): string {
    return `${this.path}.emptied.json`;
  }

  #finishEmptying(pending: number): void {
    // The process appends: it goes on at the new end.
    if ((statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) >= pending) truncateSync(this.path, 0);
    this.#write({ ...this.#emptied, pending: null });
  }

  #write(emptied: Emptied): void {
    writeFileAtomic(this.#note, JSON.stringify(emptied));
    this.#emptied = emptied;
  }
}
