/** A migrated, empty database of its own for a test file: cloned from the run's template, dropped afterwards. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, openDatabase } from '../../server/db.ts';

export interface TestDatabase extends Database {
  url: string;
}

async function asAdmin(sql: string) {
  const client = new pg.Client({ connectionString: inject('postgres').url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** An address of a new database. @param template null = empty, without tables */
export async function createDatabaseUrl(template: string | null = inject('postgres').template) {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = new URL(inject('postgres').url);
  url.pathname = `/${name}`;
  await asAdmin(template === null ? `CREATE DATABASE ${name}` : `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    url: url.toString(),
    /** Fails when a connection is still open: a test must close what it opened. */
    drop: () => asAdmin(`DROP DATABASE ${name}`),
  };
}

/** Call `close()` in afterAll; it fails when another connection to the database is still open. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { url, drop } = await createDatabaseUrl();
  const database = openDatabase(url);
  return {
    ...database,
    url,
    async close() {
      await database.close();
      await drop();
    },
  };
}
