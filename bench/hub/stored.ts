/** Is every record that was written stored, once, with its values? Asked of the database itself. */
import pg from 'pg';

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
    const { rows } = await client.query<{ points: number; wrong_runs: number; bytes: number }>(
      `WITH has AS (
         SELECT run_id, attempt, count(*) AS records, max(seq) AS last, sum(cardinality("values")) AS points
         FROM metric_records GROUP BY 1, 2
       )
       SELECT sum(has.points)::float8 AS points,
              (count(*) FILTER (WHERE has.records IS DISTINCT FROM w.records - 1 OR has.last IS DISTINCT FROM w.records))::int AS wrong_runs,
              pg_total_relation_size('metric_records')::float8 AS bytes
       FROM has FULL JOIN unnest($1::text[], $2::int[], $3::int[]) AS w(run_id, attempt, records) USING (run_id, attempt)`,
      [written.map((w) => w.runId), written.map((w) => w.attempt), written.map((w) => w.records)],
    );
    // The values are `numberOf` in run-stream.ts.
    const { rows: wrong } = await client.query<{ records: number }>(
      `SELECT count(*)::int AS records FROM metric_records m
       WHERE EXISTS (SELECT 1 FROM unnest(m.series_id, m."values") AS v(id, value) JOIN metric_series s ON s.id = v.id
                     WHERE s.run_id <> m.run_id OR v.value <> m.seq + split_part(s.name, '_', 2)::int / 4.0)`,
    );
    const { points, wrong_runs: wrongRuns, bytes } = rows[0]!;
    return {
      points,
      wrongRuns,
      wrongRecords: wrong[0]!.records,
      bytesPerPoint: Math.round((10 * bytes) / points) / 10,
    };
  } finally {
    await client.end();
  }
}
