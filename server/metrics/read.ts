/** Reading what appendRecords wrote: points in the order of (attempt, seq). */
import { withoutStyles } from '@mealtable/protocol/output';
import type { MetricPage, RecordCursor } from '@mealtable/protocol/views';
import { toWireNumber } from '@mealtable/protocol/wire-number';
import type pg from 'pg';
import type { Queryable } from '../runs/summary.ts';
import { readRecords } from './read-records.ts';
import { inSnapshot } from './snapshot.ts';

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
