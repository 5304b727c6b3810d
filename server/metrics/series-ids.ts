/** Metric names to the small numbers that points carry, remembered per database. */
import type pg from 'pg';
import type { Tx } from '../runs/transaction.ts';

/** Runs remembered at most; the oldest is forgotten first and costs one query when it comes back. */
const MAX_RUNS = 1_000;

const caches = new WeakMap<pg.Pool, Map<string, Map<string, number>>>();

/** What is remembered of a run: series that are in the database, though not always all of them. */
export const knownSeries = (pool: pg.Pool, runId: string): ReadonlyMap<string, number> | undefined =>
  caches.get(pool)?.get(runId);

/**
 * The ids of these metrics of a run, made where they are new. The caller holds the run's lock, so no two transactions
 * make the same series.
 */
export async function resolveSeries(
  pool: pg.Pool,
  tx: Tx,
  runId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const known = knownSeries(pool, runId);
  if (known && names.every((name) => known.has(name))) return known;
  await tx.query(
    `INSERT INTO metric_series (run_id, name) SELECT $1, n FROM unnest($2::text[]) AS n
     WHERE NOT EXISTS (SELECT 1 FROM metric_series s WHERE s.run_id = $1 AND s.name = n)
     ON CONFLICT (run_id, name) DO NOTHING`,
    [runId, names],
  );
  const { rows } = await tx.query<{ id: number; name: string }>(
    'SELECT id, name FROM metric_series WHERE run_id = $1',
    [runId],
  );
  const series = new Map(rows.map((row) => [row.name, row.id]));
  tx.afterCommit(() => remember(pool, runId, series));
  return series;
}

function remember(pool: pg.Pool, runId: string, series: Map<string, number>): void {
  const cache = caches.get(pool) ?? new Map<string, Map<string, number>>();
  caches.set(pool, cache);
  cache.delete(runId);
  cache.set(runId, series);
  const oldest = cache.keys().next().value;
  if (cache.size > MAX_RUNS && oldest !== undefined) cache.delete(oldest);
}
