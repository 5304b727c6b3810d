/**
 * What a trainer's process printed. Each stream is cut into segments at \n, \r\n and \r, which are numbered from 1: a line's
 * number depends on the bytes alone, so whoever reads the file numbers alike. Segments that nobody needs (the states that a
 * progress bar passed through, a flood) are left out, so numbers have gaps; `after` says what a batch follows on.
 */
import { z } from 'zod';
import { AttemptRef } from './agent-messages.ts';
import { MAX_LOG_LINE } from './tunables.ts';

export const OUTPUT_STREAMS = ['stdout', 'stderr'] as const;
export const OutputStream = z.enum(OUTPUT_STREAMS);
export type OutputStream = z.infer<typeof OutputStream>;

/** At the end of a line that the next line of its stream replaces: the state of a progress bar that still moves. */
export const REWRITTEN = '\r';

export const OutputLine = z.strictObject({
  /** Number of the line's last segment. */
  seq: z.int32().min(1),
  /** When it was seen, milliseconds since 1970 on the host's clock. */
  at: z.number().min(0).max(8.64e15),
  /** Without control characters but tabs, SGR sequences (colours) and a last `REWRITTEN`. */
  line: z.string().max(MAX_LOG_LINE + 1),
});
export type OutputLine = z.infer<typeof OutputLine>;

/** Lines of one stream, ascending. Without lines it asks where the hub stands. */
export const OutputBatch = AttemptRef.extend({
  stream: OutputStream,
  /** The last line that the hub is believed to have of this stream; 0 for none. */
  after: z.int32().min(0),
  lines: z.array(OutputLine).max(1000),
}).refine(
  ({ after, lines }) => lines.every((line, i) => line.seq > (i === 0 ? after : lines[i - 1]!.seq)),
  'The numbers of the lines must grow, and begin above "after".',
);
export type OutputBatch = z.infer<typeof OutputBatch>;

export type OutputBatchReply =
  /** Everything up to `ackedSeq` is stored. A batch that does not follow on what is stored changes nothing: go on from there. */
  | { ok: true; ackedSeq: number; fenced: boolean }
  /** The hub could not write just now; try again. */
  | { ok: false; code: 'unavailable'; message: string };

/** Where lines of a run's log come from: the trainer's log records, or what its process printed. */
export const LOG_SOURCES = ['log', ...OUTPUT_STREAMS] as const;
export const LogSource = z.enum(LOG_SOURCES);
export type LogSource = z.infer<typeof LogSource>;

/** A colour or a style in a line. */
export const SGR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;:]*m`, 'g');
/** A line's text alone. */
export const withoutStyles = (line: string): string => line.replaceAll(SGR, '').replace(/\r$/, '');
