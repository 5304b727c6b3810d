/** Top-1 of the final tests of many runs at once. */
import type { Queryable } from '../runs/summary.ts';

/** The final test is a run's last record but for what may follow it by a few; so far back it is looked for. */
const LAST_RECORDS = 20;

/** Percent, by run; runs without a final test are left out. */
export async function loadFinalTests(
  db: Queryable,
  runIds: readonly string[],
): Promise<Map<string, { best: number | null; latest: number | null }>> {
  const { rows } = await db.query<{ run_id: string; best: number | null; latest: number | null }>(
    `WITH named AS (
       SELECT run_id, max(id) FILTER (WHERE name = 'test/best_top1') AS best,
              max(id) FILTER (WHERE name = 'test/latest_top1') AS latest
       FROM metric_series WHERE run_id = ANY($1) AND name IN ('test/best_top1', 'test/latest_top1') GROUP BY run_id)
     SELECT n.run_id, t."values"[array_position(t.series_id, n.best)] AS best,
            t."values"[array_position(t.series_id, n.latest)] AS latest
     FROM named n CROSS JOIN LATERAL (
       SELECT series_id, "values" FROM (
         SELECT attempt, seq, series_id, "values" FROM metric_records WHERE run_id = n.run_id
         ORDER BY attempt DESC, seq DESC LIMIT $2) AS last
       WHERE n.best = ANY(series_id) OR n.latest = ANY(series_id) ORDER BY attempt DESC, seq DESC LIMIT 1) t`,
    [runIds, LAST_RECORDS],
  );
  const finite = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
  return new Map(rows.map(({ run_id, best, latest }) => [run_id, { best: finite(best), latest: finite(latest) }]));
}
