/** A chart's series, all of them as of one moment. */
import type { ChartReply, ChartRequest } from '@mealtable/protocol/chart-data';
import type { RecordCursor } from '@mealtable/protocol/views';
import type pg from 'pg';
import { bucketWidth, type Rollup, rollupOf, toBuckets, toRawColumns } from './fold-series.ts';

interface PointRow {
  run_id: string;
  name: string;
  step: number;
  epoch: number;
  at: Date;
  value: number;
}

/** What the series hold and how far they reach belong together, so both are read from one snapshot. */
export async function readChart(pool: pg.Pool, request: ChartRequest): Promise<ChartReply> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const through = await readThrough(client, request.runs);
    const series = await readSeries(client, request);
    await client.query('COMMIT');
    client.release();
    return { series, through };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** A run without records has 0, 0: everything that comes is to be added. */
async function readThrough(client: pg.PoolClient, runs: readonly string[]): Promise<Record<string, RecordCursor>> {
  const { rows } = await client.query<{ id: string; attempt: number | null; seq: number | null }>(
    `SELECT r.id, m.attempt, m.seq FROM runs r LEFT JOIN LATERAL (
       SELECT attempt, seq FROM metric_records WHERE run_id = r.id ORDER BY attempt DESC, seq DESC LIMIT 1) m ON true
     WHERE r.id = ANY($1)`,
    [runs],
  );
  return Object.fromEntries(rows.map(({ id, attempt, seq }) => [id, { attempt: attempt ?? 0, seq: seq ?? 0 }]));
}

async function readSeries(
  client: pg.PoolClient,
  { runs, metrics, from, to, buckets }: ChartRequest,
): Promise<ChartReply['series']> {
  const { rows } = await client.query<PointRow>(
    `SELECT m.run_id, s.name, m.step, m.epoch, m.at, m."values"[array_position(m.series_id, s.id)] AS value
     FROM metric_series s JOIN metric_records m ON m.run_id = s.run_id AND s.id = ANY(m.series_id)
     WHERE s.run_id = ANY($1) AND s.name = ANY($2) AND m.step >= $3 AND m.step <= $4
     ORDER BY m.step, m.attempt, m.seq`,
    [runs, metrics, from ?? 0, to ?? 2 ** 31 - 1],
  );
  const found = new Map<string, Rollup[]>();
  for (const { run_id, name, step, epoch, at, value } of rows) {
    const key = `${run_id} ${name}`;
    const points = found.get(key) ?? [];
    if (points.length === 0) found.set(key, points);
    points.push(rollupOf(step, epoch, at.getTime(), value));
  }
  const width = bucketWidth((rows.at(-1)?.step ?? 0) - (rows[0]?.step ?? 0) + 1, buckets);
  return runs.flatMap((runId) =>
    metrics.flatMap((metric) => {
      const points = found.get(`${runId} ${metric}`);
      if (!points) return [];
      const isRaw = points.length <= buckets;
      const columns = isRaw ? toRawColumns(points) : toBuckets(points, width);
      return [{ runId, metric, isRaw, points: points.length, ...columns }];
    }),
  );
}
