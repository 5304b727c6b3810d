/** Appends an attempt's records to its file: each is numbered and written whole by one system call. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { AttemptRecord } from '@mealtable/protocol/records';
import { MAX_LOG_LINE } from '@mealtable/protocol/tunables';
import { toWireNumber } from '@mealtable/protocol/wire-number';
import { encodeRecord, readRecords } from './record-reader.ts';

type Body<R> = R extends { kind: 'metrics' }
  ? Omit<R, 'seq' | 'at' | 'values'> & { values: Record<string, number> }
  : Omit<R, 'seq' | 'at'>;
/** A record without its number and time. Metric values are plain numbers here, NaN and infinities included. */
export type RecordBody = Body<AttemptRecord>;

export class RecordWriter {
  readonly #fd: number;
  readonly #now: () => number;
  #size: number;
  #lastSeq: number;

  private constructor(fd: number, size: number, lastSeq: number, now: () => number) {
    this.#fd = fd;
    this.#size = size;
    this.#lastSeq = lastSeq;
    this.#now = now;
  }

  /**
   * Opens the file to append, making it if needed, and goes on after its last good record; what a killed writer left
   * behind it, half a line, is cut off. A file has one writer at a time.
   */
  static open(path: string, now: () => number = Date.now): RecordWriter {
    const { end, lastSeq } = findEnd(path);
    const fd = openSync(path, 'a');
    ftruncateSync(fd, end);
    return new RecordWriter(fd, end, lastSeq, now);
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Appends one record and returns its number. When it cannot be written whole (disk full), none of it stays and it throws. */
  write(body: RecordBody): number {
    const seq = this.#lastSeq + 1;
    const line = encodeRecord(toRecord(body, seq, this.#now()));
    if (writeSync(this.#fd, line) !== line.length) {
      ftruncateSync(this.#fd, this.#size);
      // To an ordinary file the system writes less than asked only when space (or the quota) has run out.
      throw Object.assign(new Error('ENOSPC: no space left on device, write of a record'), { code: 'ENOSPC' });
    }
    this.#size += line.length;
    this.#lastSeq = seq;
    return seq;
  }

  /** One log record; a line above the limit is cut and marked. */
  log(level: 'info' | 'warning' | 'error' | 'output', line: string): number {
    const mark = ' … (cut)';
    const text = line.length <= MAX_LOG_LINE ? line : line.slice(0, MAX_LOG_LINE - mark.length) + mark;
    return this.write({ kind: 'log', level, line: text });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function toRecord(body: RecordBody, seq: number, at: number): AttemptRecord {
  if (body.kind !== 'metrics') return { seq, at, ...body };
  const values = Object.fromEntries(Object.entries(body.values).map(([name, x]) => [name, toWireNumber(x)]));
  return { seq, at, ...body, values };
}

function findEnd(path: string): { end: number; lastSeq: number } {
  let end = 0;
  let lastSeq = 0;
  for (;;) {
    const { records, nextOffset } = readRecords(path, end);
    if (records.length === 0) return { end, lastSeq };
    end = nextOffset;
    lastSeq = records.at(-1)!.seq;
  }
}
