/**
 * A run's log lines in the browser: the tail first, older ones on request, new ones as they come. The same order as
 * for metrics makes it complete: join the room, then read; live lines wait aside until the gap is closed.
 */
import type { RunRecordsEvent } from '@mealtable/protocol/live-messages';
import type { LogPage, RecordCursor } from '@mealtable/protocol/views';
import { isAfter } from './record-order.ts';

export type LogLine = LogPage['lines'][number];

/** Beyond this the oldest lines are let go; "load older" brings them back. */
export const MAX_LINES_HELD = 50_000;

export class LogBuffer {
  private held: LogLine[] = [];
  private waiting: RunRecordsEvent[] = [];
  private newest: RecordCursor | null = null;
  private caughtUp = false;
  private older = false;
  private readonly maxLines: number;

  constructor(maxLines = MAX_LINES_HELD) {
    this.maxLines = maxLines;
  }

  /** A new array after each change, so that readers can compare by identity. */
  get lines(): readonly LogLine[] {
    return this.held;
  }
  get hasOlder(): boolean {
    return this.older;
  }
  get isCaughtUp(): boolean {
    return this.caughtUp;
  }
  /** Where to read on from after a lost connection. */
  get cursor(): RecordCursor | null {
    return this.newest;
  }
  /** Where older lines end. */
  get oldest(): RecordCursor | null {
    const first = this.held[0];
    return first ? { attempt: first.attempt, seq: first.seq } : null;
  }

  beginCatchUp(): void {
    this.caughtUp = false;
  }

  /** The end of the log, read without a cursor. */
  addTail(page: LogPage): void {
    this.older = page.hasOlder;
    this.append(page.lines);
    this.endCatchUp();
  }

  /** @param isLast fewer lines came than were asked for */
  addNewer(page: LogPage, isLast: boolean): void {
    this.append(page.lines);
    if (isLast) this.endCatchUp();
  }

  addOlder(page: LogPage): void {
    this.older = page.hasOlder;
    const { oldest } = this;
    const fresh = page.lines.filter((line) => oldest === null || isAfter(oldest, line));
    this.held = [...fresh, ...this.held];
  }

  addLive(event: RunRecordsEvent): void {
    if (!this.caughtUp) {
      this.waiting.push(event);
      return;
    }
    const lines: LogLine[] = [];
    for (const record of event.records)
      if (record.kind === 'log') {
        const { seq, at, level, line } = record;
        lines.push({ attempt: event.attempt, seq, at, level, line });
      }
    this.append(lines);
  }

  private append(lines: readonly LogLine[]): void {
    const fresh = lines.filter((line) => isAfter(line, this.newest));
    const last = fresh.at(-1);
    if (!last) return;
    this.newest = { attempt: last.attempt, seq: last.seq };
    const all = [...this.held, ...fresh];
    if (all.length > this.maxLines) this.older = true;
    this.held = all.slice(-this.maxLines);
  }

  private endCatchUp(): void {
    this.caughtUp = true;
    const waiting = this.waiting;
    this.waiting = [];
    for (const event of waiting) this.addLive(event);
  }
}
