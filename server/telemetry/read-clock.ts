import type { Queryable } from '../runs/summary.ts';

/** The database's clock, by which everything is filed: milliseconds since 1970. */
export async function readClock(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ now: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now',
  );
  return rows[0]!.now;
}
