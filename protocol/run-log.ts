/**
 * A run's log as people read it: the trainer's log records and what its process printed, in one order. Each source is ordered
 * by (attempt, number); sources are merged by attempt and time.
 */
import { z } from 'zod';
import { RunId } from './ids.ts';
import { LOG_SOURCES, LogSource } from './output.ts';
import type { LogRecord } from './records.ts';
import type { RecordCursor } from './views.ts';

export interface RunLogLine {
  source: LogSource;
  attempt: number;
  /** Within its source and attempt. */
  seq: number;
  /** Milliseconds since 1970 on the host's clock. */
  at: number;
  /** `output` for lines that were printed. */
  level: LogRecord['level'];
  line: string;
}

/** A place in the merged log: of each source the first line that comes after it, or would. */
export type LogPlace = Record<LogSource, RecordCursor>;
const Cursor = z.strictObject({ attempt: z.int32().min(0), seq: z.int32().min(0) });
export const LogPlace = z.record(LogSource, Cursor);

const MAX = 2 ** 31 - 1;
const everywhere = (cursor: RecordCursor) =>
  Object.fromEntries(LOG_SOURCES.map((source) => [source, cursor])) as LogPlace;
export const LOG_BEGINNING: LogPlace = everywhere({ attempt: 0, seq: 0 });
export const LOG_END: LogPlace = everywhere({ attempt: MAX, seq: MAX });
/** Where an attempt begins. */
export const attemptBeginning = (attempt: number): LogPlace => everywhere({ attempt, seq: 0 });

export const LogFilter = z.strictObject({
  sources: z
    .array(LogSource)
    .min(1)
    .default([...LOG_SOURCES]),
  /** Of the log records only warnings and errors. */
  onlyProblems: z.boolean().default(false),
});
export type LogFilter = z.infer<typeof LogFilter>;

export const LogPageRequest = z.strictObject({
  id: RunId,
  filter: LogFilter,
  /** Lines before this place, the newest of them. */
  before: LogPlace.optional(),
  /** Lines after this place, the oldest of them. Without either the newest of all. */
  after: LogPlace.optional(),
  limit: z.int().min(1).max(2_000).default(1_000),
});
export type LogPageRequest = z.infer<typeof LogPageRequest>;
export interface RunLogPage {
  /** Oldest first. */
  lines: RunLogLine[];
  /** The place before the first line. */
  from: LogPlace;
  /** The place after the last line. */
  to: LogPlace;
  /** There are more lines beyond, on the side that was read to. */
  hasMore: boolean;
}

/** Longest text that is searched for. */
export const MAX_SEARCH_LENGTH = 200;
export const LogSearchRequest = z.strictObject({
  id: RunId,
  filter: LogFilter,
  text: z.string().min(1).max(MAX_SEARCH_LENGTH),
  isRegex: z.boolean().default(false),
  attempt: z.int32().min(1).optional(),
  /** Where the last answer stopped; the end when left out. */
  before: LogPlace.optional(),
});
export type LogSearchRequest = z.infer<typeof LogSearchRequest>;
export type LogHit = Pick<RunLogLine, 'source' | 'attempt' | 'seq' | 'at'>;
export interface LogSearchPage {
  /** Newest first. */
  hits: LogHit[];
  /** Lines that were looked at. */
  scanned: number;
  /** Ask again from here; null when everything was searched. */
  next: LogPlace | null;
}
