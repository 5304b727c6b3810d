import type pg from 'pg';

/** Postgres's word for the victim of a deadlock. */
const DEADLOCK = '40P01';
const TRIES = 5;

/**
 * Empties the tables and all that refer to them, under a hub that still writes what the last test has left, such as an agent's
 * goodbye: who locks first differs, so the hub and this may be in each other's way once, and then it is tried again.
 */
export async function emptyTables(pool: pg.Pool, tables: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await pool.query(`TRUNCATE ${tables.join(', ')} CASCADE`);
      return;
    } catch (error) {
      if (tries === TRIES || (error as { code?: unknown }).code !== DEADLOCK) throw error;
    }
  }
}
