/** Cuts what a process printed into numbered segments. Numbers and texts depend on the bytes alone, however they arrive. */
import { MAX_LOG_LINE } from '@mealtable/protocol/tunables';
import { cleanText } from './output-text.ts';

const LF = 10;
const CR = 13;
/** Bytes of a segment that are kept: more than the longest line needs, whatever its characters. */
const KEPT_BYTES = 4 * MAX_LOG_LINE;

export interface Segment {
  /** From 1. */
  seq: number;
  text: string;
  /** False for one that ended with a carriage return alone: what follows is written over it. */
  endsLine: boolean;
  /** Bytes from the beginning of the stream to its end. */
  end: number;
}

export class OutputSegments {
  /** Beginning of the segment that has not ended yet. */
  #open: Buffer[] = [];
  #openBytes = 0;
  #isOpen = false;
  /** A carriage return came last: what follows says whether the line ended with it. */
  #afterReturn = false;
  #offset: number;
  #seq: number;

  /** @param seq segments that came before @param offset bytes that came before */
  constructor(seq = 0, offset = 0) {
    this.#seq = seq;
    this.#offset = offset;
  }

  /** Number of the last segment that has ended. */
  get seq(): number {
    return this.#seq;
  }

  /** @returns the segments that ended in these bytes */
  push(bytes: Buffer): Segment[] {
    const segments: Segment[] = [];
    let from = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (this.#afterReturn) {
        this.#afterReturn = false;
        const endsLine = byte === LF;
        segments.push(this.#cut(endsLine, this.#offset + at + (endsLine ? 1 : 0)));
        from = endsLine ? at + 1 : at;
        if (endsLine) continue;
      }
      if (byte !== LF && byte !== CR) continue;
      this.#keep(bytes.subarray(from, at));
      from = at + 1;
      if (byte === LF) segments.push(this.#cut(true, this.#offset + at + 1));
      else this.#afterReturn = true;
    }
    if (!this.#afterReturn) this.#keep(bytes.subarray(from));
    this.#offset += bytes.length;
    return segments;
  }

  /** The process has ended: what it left without a line's end is a segment, too. */
  finish(): Segment[] {
    if (this.#afterReturn) {
      this.#afterReturn = false;
      return [this.#cut(false, this.#offset)];
    }
    return this.#isOpen ? [this.#cut(true, this.#offset)] : [];
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#isOpen = true;
    const room = KEPT_BYTES - this.#openBytes;
    if (room <= 0) return;
    // A copy: the caller reads the next bytes into the same memory.
    const kept = Buffer.from(bytes.subarray(0, room));
    this.#open.push(kept);
    this.#openBytes += kept.length;
  }

  #cut(endsLine: boolean, end: number): Segment {
    const text = cleanText(Buffer.concat(this.#open).toString('utf8'));
    this.#open = [];
    this.#openBytes = 0;
    this.#isOpen = false;
    return { seq: ++this.#seq, text, endsLine, end };
  }
}
