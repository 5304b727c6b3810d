import type pg from 'pg';
import type { Queryable } from '../runs/summary.ts';

/** Reads that belong together, as of one moment: chunks may become segments in between, and points are to be seen once. */
export async function inSnapshot<T>(pool: pg.Pool, work: (db: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const result = await work(client as Queryable);
    await client.query('COMMIT');
    broken = false;
    return result;
  } finally {
    // One that failed in the middle is closed; the pool opens another.
    client.release(broken);
  }
}
