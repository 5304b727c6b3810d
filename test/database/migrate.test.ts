/** The start-up migrator and Prisma's own tools can follow each other on one database. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS_DIR, migrateDatabase } from '../../server/postgres/migrate.ts';
import { createDatabaseUrl } from '../support/database.ts';

let folder: string;
let database: Awaited<ReturnType<typeof createDatabaseUrl>>;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mealtable-migrations-'));
  cpSync(MIGRATIONS_DIR, folder, { recursive: true });
  database = await createDatabaseUrl(null);
});
afterEach(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const names = () => readdirSync(MIGRATIONS_DIR).filter((name) => !name.endsWith('.toml'));

function addMigration(name: string, sql: string) {
  mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, name, 'migration.sql'), sql);
}

async function query<T extends pg.QueryResultRow>(sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('migrateDatabase', () => {
  it('applies what is missing, in order, once', async () => {
    expect(await migrateDatabase(database.url, folder)).toEqual(names());
    addMigration('99990101000000_more', 'CREATE TABLE more (id int); CREATE TABLE even_more (id int);');
    expect(await migrateDatabase(database.url, folder)).toEqual(['99990101000000_more']);
    expect(await migrateDatabase(database.url, folder)).toEqual([]);
  });

  it('is safe to be started twice at once', async () => {
    const both = await Promise.all([migrateDatabase(database.url, folder), migrateDatabase(database.url, folder)]);
    expect(both.flat()).toEqual(names());
  });

  it('takes files whose line ends a checkout has changed', async () => {
    await migrateDatabase(database.url, folder);
    for (const name of names()) {
      const file = path.join(folder, name, 'migration.sql');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'));
    }
    expect(await migrateDatabase(database.url, folder)).toEqual([]);
  });

  it('refuses a file that was edited after it was applied', async () => {
    await migrateDatabase(database.url, folder);
    addMigration(names()[0]!, 'SELECT 1;');
    await expect(migrateDatabase(database.url, folder)).rejects.toThrow(/was edited after it was applied/);
  });

  it('refuses a database of a newer version', async () => {
    addMigration('99990101000000_future', 'SELECT 1;');
    await migrateDatabase(database.url, folder);
    rmSync(path.join(folder, '99990101000000_future'), { recursive: true });
    await expect(migrateDatabase(database.url, folder)).rejects.toThrow(/newer Mealtable/);
  });

  it('keeps nothing of a migration that fails, and says so at every further start', async () => {
    await migrateDatabase(database.url, folder);
    addMigration('99990101000000_broken', 'CREATE TABLE half (id int); SELECT 1/0;');
    await expect(migrateDatabase(database.url, folder)).rejects.toThrow(
      /"99990101000000_broken" failed: division by zero/,
    );
    expect(await query("SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
    await expect(migrateDatabase(database.url, folder)).rejects.toThrow(/failed earlier/);
  });
});
