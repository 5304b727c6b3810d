/** The Prisma command line through the project's own schema engine, beside the hub's start-up migrator. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { migrateDatabase } from '../../server/postgres/migrate.ts';
import { createDatabaseUrl } from '../support/database.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
let database: Awaited<ReturnType<typeof createDatabaseUrl>>;
beforeEach(async () => {
  database = await createDatabaseUrl(null);
});
afterEach(() => database.drop());

function prisma(args: string[], url = database.url): Promise<{ code: number; output: string }> {
  const cli = path.join(ROOT, 'node_modules/prisma/build/index.js');
  const env = { ...process.env, DATABASE_URL: url, PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

async function query(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('prisma', () => {
  it('sees no difference between schema.prisma and the migrations, and leaves no shadow database', async () => {
    const { code, output } = await prisma([
      ...['migrate', 'diff', '--from-migrations', 'prisma/migrations'],
      ...['--to-schema', 'prisma/schema.prisma', '--exit-code'],
    ]);
    expect(output).toContain('No difference detected');
    expect(code).toBe(0);
    expect(await query(database.url, "SELECT datname FROM pg_database WHERE datname LIKE '%shadow%'")).toEqual([]);
  });

  it('deploys what the hub then finds applied', async () => {
    expect((await prisma(['migrate', 'deploy'])).output).toContain('All migrations have been successfully applied');
    expect(await migrateDatabase(database.url)).toEqual([]);
  });

  it('finds applied what the hub has migrated, and notices a change by hand', async () => {
    await migrateDatabase(database.url);
    expect((await prisma(['migrate', 'deploy'])).output).toContain('No pending migrations to apply');
    await query(database.url, 'ALTER TABLE runs ADD COLUMN oops int');
    const diff = await prisma([
      'migrate',
      'diff',
      '--from-config-datasource',
      '--to-schema',
      'prisma/schema.prisma',
      '--exit-code',
    ]);
    expect(diff.code).toBe(2);
    expect(diff.output).toContain('oops');
  });

  it('makes a missing database, and names a wrong password and a server that is not there', async () => {
    const missing = new URL(database.url);
    missing.pathname += '_missing';
    expect((await prisma(['migrate', 'deploy'], missing.toString())).code).toBe(0);
    await query(inject('postgres').url, `DROP DATABASE ${missing.pathname.slice(1)}`);

    const wrong = new URL(database.url);
    wrong.password = 'wrong';
    expect((await prisma(['migrate', 'deploy'], wrong.toString())).output).toContain('P1000');
    const nobody = new URL(database.url);
    nobody.port = '1';
    expect((await prisma(['migrate', 'deploy'], nobody.toString())).output).toContain('P1001');
  });
});
