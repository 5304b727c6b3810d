/** One throwaway Postgres for the whole run, with a migrated template that test files clone. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../server/postgres/embedded.ts';
import { migrateDatabase } from '../../server/postgres/migrate.ts';

const TEMPLATE = 'mealtable_template';

/** Nothing is kept, so nothing needs to reach the disk. */
const UNSAFE_BUT_FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser's address of the server, and the database to clone. */
    postgres: { url: string; template: string };
  }
}

export default async function setup(project: TestProject) {
  const dir = mkdtempSync(path.join(tmpdir(), 'mealtable-test-'));
  chmodSync(dir, 0o755); // as root another user runs Postgres and must get in
  const server = await startEmbeddedPostgres({ dataDir: dir, settings: UNSAFE_BUT_FAST, initdbArgs: ['--no-sync'] });
  const template = new URL(server.url);
  template.pathname = `/${TEMPLATE}`;

  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.end();
  await migrateDatabase(template.toString());
  project.provide('postgres', { url: server.url, template: TEMPLATE });

  return async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}
