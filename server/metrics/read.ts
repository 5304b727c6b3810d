/** Reading what appendRecords wrote: points and log lines in the order of (attempt, seq). */
import { withoutStyles } from '@mealtable/protocol/output';
import type { LogPage, MetricPage, RecordCursor } from '@mealtable/protocol/views';
import { toWireNumber } from '@mealtable/protocol/wire-number';
import type pg from 'pg';
import type { Queryable } from '../runs/summary.ts';
import { readRecords } from './read-records.ts';
import { inSnapshot } from './snapshot.ts';

type Line = LogPage['lines'][number];
interface LineRow extends Omit<Line, 'at'> {
  at: Date;
}

/** Metric names of a run by their id. */
export async function loadSeries(db: Queryable, runId: string): Promise<Map<number, string>> {
  const { rows } = await db.query<{ id: number; name: string }>(
    'SELECT id, name FROM metric_series WHERE run_id = $1 ORDER BY name',
    [runId],
  );
  return new Map(rows.map((row) => [row.id, row.name]));
}

/** @param after the newest record that the reader has; null reads from the beginning */
export function metricsAfter(
  pool: pg.Pool,
  runId: string,
  after: RecordCursor | null,
  limit: number,
): Promise<MetricPage> {
  return inSnapshot(pool, async (db) => {
    const records = await readRecords(db, runId, after, limit + 1);
    const names = await loadSeries(db, runId);
    const page = records.slice(0, limit);
    const last = page.at(-1);
    return {
      points: page.map(({ series, values, ...point }) => ({
        ...point,
        values: Object.fromEntries(series.map((id, i) => [names.get(id)!, toWireNumber(values[i]!)])),
      })),
      next: records.length > limit && last ? { attempt: last.attempt, seq: last.seq } : null,
    };
  });
}

export interface LogWindow {
  before?: RecordCursor | null;
  after?: RecordCursor | null;
}

/** The newest lines; with `before` the newest older ones, with `after` those that follow. Always oldest first. */
export async function loadLogs(db: Queryable, runId: string, window: LogWindow, limit: number): Promise<LogPage> {
  if (window.after) {
    const { attempt, seq } = window.after;
    const { rows } = await db.query<LineRow>(
      `SELECT attempt, seq, at, level, line FROM log_lines
       WHERE run_id = $1 AND (attempt, seq) > ($2, $3) ORDER BY attempt, seq LIMIT $4`,
      [runId, attempt, seq, limit],
    );
    const older = await db.query('SELECT 1 FROM log_lines WHERE run_id = $1 AND (attempt, seq) <= ($2, $3) LIMIT 1', [
      runId,
      attempt,
      seq,
    ]);
    return { lines: rows.map(toLine), hasOlder: older.rows.length > 0 };
  }
  const { attempt, seq } = window.before ?? { attempt: 2 ** 31 - 1, seq: 2 ** 31 - 1 };
  const { rows } = await db.query<LineRow>(
    `SELECT attempt, seq, at, level, line FROM log_lines
     WHERE run_id = $1 AND (attempt, seq) < ($2, $3) ORDER BY attempt DESC, seq DESC LIMIT $4`,
    [runId, attempt, seq, limit + 1],
  );
  return { lines: rows.slice(0, limit).reverse().map(toLine), hasOlder: rows.length > limit };
}

const toLine = (row: LineRow): Line => ({ ...row, at: row.at.getTime() });

/** The end of what each of these attempts logged and printed, by attempt, without colours. */
export async function lastLogLines(
  db: Queryable,
  runId: string,
  attempts: readonly number[],
  limit: number,
): Promise<Map<number, string[]>> {
  const newest = (rank: number, from: string) =>
    `(SELECT at, ${rank} AS rank, seq, line FROM ${from} AND run_id = $1 AND attempt = a.attempt
      ORDER BY seq DESC LIMIT $3)`;
  const { rows } = await db.query<{ attempt: number; lines: string[] }>(
    `SELECT a.attempt, array(
       SELECT line FROM (
         SELECT * FROM (${newest(0, 'log_lines WHERE true')}
                        UNION ALL ${newest(1, `output_lines WHERE stream = 'stdout'`)}
                        UNION ALL ${newest(2, `output_lines WHERE stream = 'stderr'`)}) AS each
         ORDER BY at DESC, rank DESC, seq DESC LIMIT $3
       ) AS newest ORDER BY at, rank, seq) AS lines
     FROM unnest($2::int[]) AS a(attempt)`,
    [runId, attempts, limit],
  );
  return new Map(rows.map((row) => [row.attempt, row.lines.map(withoutStyles)]));
}
