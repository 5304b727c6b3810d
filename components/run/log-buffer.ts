/**
 * A piece of a run's log in the browser: its end, kept up to date, or a window further up. Each source is held by its own
 * numbers, and they are merged by attempt and time. Complete in the way of metrics: join the room, then read; live lines
 * wait aside until the gap is closed.
 */
import type { RunOutputEvent, RunRecordsEvent } from '@mealtable/protocol/live-messages';
import { LOG_SOURCES, type LogSource, REWRITTEN } from '@mealtable/protocol/output';
import {
  LOG_BEGINNING,
  type LogFilter,
  type LogHit,
  type LogPlace,
  type RunLogLine,
  type RunLogPage,
} from '@mealtable/protocol/run-log';
import { isAfter } from './record-order.ts';

/** Beyond this lines are let go at the end that nobody looks at; scrolling there brings them back. */
export const MAX_LINES_HELD = 50_000;
/** Letting go costs a pass over everything, so it is done for some lines at once. */
const SLACK = 2_000;
/** Live events kept for a window that has not reached the end: more than come while a page is read. */
const MAX_WAITING = 500;

type Held = Record<LogSource, RunLogLine[]>;
const noLines = (): Held => ({ log: [], stdout: [], stderr: [] });

export const keyOf = ({ source, attempt, seq }: Pick<LogHit, 'source' | 'attempt' | 'seq'>) =>
  `${attempt}:${source}:${seq}`;

export class LogBuffer {
  readonly filter: LogFilter;
  private readonly maxLines: number;
  private held = noLines();
  private merged: RunLogLine[] | null = null;
  private waiting: (RunRecordsEvent | RunOutputEvent)[] = [];
  private from: LogPlace | null = null;
  private to: LogPlace | null = null;
  private older = false;
  /** Lines follow that are not held: what comes live does not belong to this window. */
  private newer = false;
  private caughtUp = false;
  /** The reader is at the end: the beginning may be let go when there is too much. */
  isFollowed = true;

  constructor(filter: LogFilter, maxLines = MAX_LINES_HELD) {
    this.filter = filter;
    this.maxLines = maxLines;
  }

  /** In reading order; a new array after each change. */
  get lines(): readonly RunLogLine[] {
    this.merged ??= merge(this.held);
    return this.merged;
  }
  get hasOlder(): boolean {
    return this.older;
  }
  get hasNewer(): boolean {
    return this.newer;
  }
  get isCaughtUp(): boolean {
    return this.caughtUp || this.newer;
  }
  private get isUpToDate(): boolean {
    return this.caughtUp && !this.newer;
  }
  /** Where to read on to the end; null before the first page. */
  get end(): LogPlace | null {
    return this.to;
  }
  /** Where older lines end. */
  get beginning(): LogPlace | null {
    return this.from;
  }

  /** Forgets everything; the next page is the log's end. */
  clear(): void {
    this.hold(noLines(), null, null, false, false);
    this.caughtUp = false;
  }

  beginCatchUp(): void {
    this.caughtUp = false;
  }

  /** The end of the log, read without a place. */
  addTail(page: RunLogPage): void {
    this.hold(split(page.lines), page.from, page.to, page.hasMore, false);
    this.endCatchUp();
  }

  addNewer(page: RunLogPage): void {
    for (const line of page.lines) this.append(line);
    if (page.hasMore) return;
    this.newer = false;
    this.endCatchUp();
  }

  addOlder(page: RunLogPage): void {
    this.older = page.hasMore;
    this.from = page.from;
    const before = split(page.lines);
    for (const source of LOG_SOURCES) this.held[source] = [...before[source], ...this.held[source]];
    this.merged = null;
    if (this.count > this.maxLines + SLACK) this.dropNewest();
  }

  /** A window around a place. Lines that come live meanwhile are kept aside for the case that it reaches the end. */
  show(older: RunLogPage | null, newer: RunLogPage, hasOlder: boolean): void {
    const lines = [...(older?.lines ?? []), ...newer.lines];
    this.hold(split(lines), older?.from ?? newer.from, newer.to, hasOlder, newer.hasMore);
    this.caughtUp = false;
    if (!newer.hasMore) this.endCatchUp();
  }

  addLive(event: RunRecordsEvent | RunOutputEvent): void {
    // Nothing is taken away from under somebody who reads further up.
    if (!this.isFollowed && this.count >= this.maxLines) this.newer = true;
    if (!this.isUpToDate) {
      this.waiting.push(event);
      // A window that stays where it is must not gather for ever: what is dropped is read when it gets to the end.
      if (this.newer && this.waiting.length > MAX_WAITING) this.waiting.shift();
      return;
    }
    for (const line of toLines(event)) if (this.fits(line)) this.append(line);
  }

  private fits({ source, level }: RunLogLine): boolean {
    const { sources, onlyProblems } = this.filter;
    return sources.includes(source) && (!onlyProblems || level === 'warning' || level === 'error');
  }

  private append(line: RunLogLine): void {
    if (this.to && isAfter(this.to[line.source], line)) return;
    const lines = this.held[line.source];
    const last = lines.at(-1);
    if (last?.attempt === line.attempt && last.line.endsWith(REWRITTEN)) lines.pop();
    lines.push(line);
    this.to = { ...(this.to ?? LOG_BEGINNING), [line.source]: { attempt: line.attempt, seq: line.seq + 1 } };
    this.merged = null;
    if (this.count > this.maxLines + SLACK) this.dropOldest();
  }

  private get count(): number {
    return LOG_SOURCES.reduce((sum, source) => sum + this.held[source].length, 0);
  }

  private dropOldest(): void {
    const count = this.count - this.maxLines;
    const from = { ...(this.from ?? LOG_BEGINNING) };
    for (const line of this.lines.slice(0, count)) from[line.source] = { attempt: line.attempt, seq: line.seq + 1 };
    this.hold(split(this.lines.slice(count)), from, this.to, true, this.newer);
  }

  private dropNewest(): void {
    const to = { ...(this.to ?? LOG_BEGINNING) };
    // From the newest on, so that the first one dropped stays.
    for (const line of this.lines.slice(this.maxLines).reverse())
      to[line.source] = { attempt: line.attempt, seq: line.seq };
    this.hold(split(this.lines.slice(0, this.maxLines)), this.from, to, this.older, true);
  }

  private hold(held: Held, from: LogPlace | null, to: LogPlace | null, older: boolean, newer: boolean): void {
    this.held = held;
    this.merged = null;
    this.from = from;
    this.to = to;
    this.older = older;
    this.newer = newer;
  }

  private endCatchUp(): void {
    this.caughtUp = true;
    const waiting = this.waiting;
    this.waiting = [];
    for (const event of waiting) this.addLive(event);
  }
}

function toLines(event: RunRecordsEvent | RunOutputEvent): RunLogLine[] {
  const { attempt } = event;
  if ('stream' in event)
    return event.lines.map((line) => ({ ...line, attempt, source: event.stream, level: 'output' as const }));
  return event.records.flatMap((record) => {
    if (record.kind !== 'log') return [];
    const { seq, at, level, line } = record;
    return [{ source: 'log' as const, attempt, seq, at, level, line }];
  });
}

function split(lines: readonly RunLogLine[]): Held {
  const held = noLines();
  for (const line of lines) held[line.source].push(line);
  return held;
}

/** As the hub merges: by attempt, then time, then source; within a source by its numbers alone. */
function merge(held: Held): RunLogLine[] {
  const heads: Record<LogSource, number> = { log: 0, stdout: 0, stderr: 0 };
  const merged: RunLogLine[] = [];
  for (;;) {
    let first: RunLogLine | undefined;
    for (const source of LOG_SOURCES) {
      const line = held[source][heads[source]];
      if (!line) continue;
      if (!first || line.attempt < first.attempt || (line.attempt === first.attempt && line.at < first.at))
        first = line;
    }
    if (!first) return merged;
    merged.push(first);
    heads[first.source]++;
  }
}
