/** Is every record that was written stored, once, with its values? Asked of the database itself. */
import pg from 'pg';
import { readRecords } from '../../server/metrics/read-records.ts';
import { STORED_PARTS } from '../../test/support/stored-points.ts';

export interface Written {
  runId: string;
  attempt: number;
  /** Its last record's number; the first is `started`, which is no point. */
  records: number;
}
export interface Stored {
  points: number;
  /** Runs that have more or fewer records than were written. */
  wrongRuns: number;
  /** Records with another value than was written. */
  wrongRecords: number;
  bytesPerPoint: number;
}

export async function checkStored(databaseUrl: string, written: readonly Written[]): Promise<Stored> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ wrong_runs: number; bytes: number }>(
      `WITH has AS (SELECT run_id, attempt, sum(records) AS records, max(last_seq) AS last FROM ${STORED_PARTS} GROUP BY 1, 2)
       SELECT (count(*) FILTER (WHERE has.records IS DISTINCT FROM w.records - 1 OR has.last IS DISTINCT FROM w.records))::int AS wrong_runs,
              (pg_total_relation_size('metric_chunks') + pg_total_relation_size('metric_segments'))::float8 AS bytes
       FROM has FULL JOIN unnest($1::text[], $2::int[], $3::int[]) AS w(run_id, attempt, records) USING (run_id, attempt)`,
      [written.map((w) => w.runId), written.map((w) => w.attempt), written.map((w) => w.records)],
    );
    const { rows: series } = await client.query<{ id: number; run_id: string; name: string }>(
      'SELECT id, run_id, name FROM metric_series',
    );
    const seriesById = new Map(series.map((one) => [one.id, one]));
    let [points, wrongRecords] = [0, 0];
    for (const { runId } of written)
      for (const record of await readRecords(client, runId, null, Number.POSITIVE_INFINITY)) {
        points += record.values.length;
        // The values are `numberOf` in run-stream.ts.
        const isRight = record.series.every((id, i) => {
          const { run_id, name } = seriesById.get(id)!;
          return run_id === runId && record.values[i] === record.seq + Number(name.split('_')[1]) / 4;
        });
        if (!isRight) wrongRecords++;
      }
    const { wrong_runs: wrongRuns, bytes } = rows[0]!;
    return { points, wrongRuns, wrongRecords, bytesPerPoint: Math.round((10 * bytes) / points) / 10 };
  } finally {
    await client.end();
  }
}
