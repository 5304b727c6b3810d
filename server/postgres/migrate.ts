/**
 * Applies prisma/migrations the way `prisma migrate deploy` does, with only `pg`: the same table, checksums and lock,
 * so that the hub needs no command line tool at its start and either may follow the other on one database.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { connectionSettings } from '../db.ts';
import { PROJECT_DIR } from '../project-dir.ts';
import { StartupFault } from '../startup-fault.ts';

export const MIGRATIONS_DIR = path.join(PROJECT_DIR, 'prisma', 'migrations');

/** The advisory lock that Prisma's schema engine takes. */
const PRISMA_LOCK = 72707369;

/** Column for column what the schema engine creates. */
const TABLE = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                  VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum"            VARCHAR(64) NOT NULL,
    "finished_at"         TIMESTAMPTZ,
    "migration_name"      VARCHAR(255) NOT NULL,
    "logs"                TEXT,
    "rolled_back_at"      TIMESTAMPTZ,
    "started_at"          TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
  )`;

interface Migration {
  name: string;
  sql: string;
}
interface Recorded {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

const checksumOf = (sql: string) => createHash('sha256').update(sql).digest('hex');

/** A checkout may have changed the line ends; the schema engine takes either, too. */
const isSame = ({ sql }: Migration, checksum: string) => {
  const unix = sql.replaceAll('\r\n', '\n');
  return [sql, unix, unix.replaceAll('\n', '\r\n')].some((text) => checksumOf(text) === checksum);
};

function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(folder, entry.name, 'migration.sql')))
    .map((entry) => entry.name)
    .sort()
    .map((name) => ({ name, sql: readFileSync(path.join(folder, name, 'migration.sql'), 'utf8') }));
}

/** @throws {StartupFault} when the database and the folder do not belong together */
function checkHistory(migrations: Migration[], recorded: Recorded[]) {
  for (const { migration_name: name, checksum, finished_at } of recorded) {
    if (!finished_at)
      throw new StartupFault(
        `The database change "${name}" failed earlier. See the table _prisma_migrations, mend the database, and mark it with "prisma migrate resolve".`,
      );
    const known = migrations.find((migration) => migration.name === name);
    if (!known)
      throw new StartupFault(`The database has the change "${name}" of a newer Mealtable. Start that version instead.`);
    if (!isSame(known, checksum))
      throw new StartupFault(
        `The database change "${name}" is not the one in ${MIGRATIONS_DIR}: its file was edited after it was applied.`,
      );
  }
}

/**
 * Brings the database up to date; several at once wait for each other.
 * @param url must name an existing database
 * @returns names of the migrations applied now
 * @throws {StartupFault} when the history does not fit or a migration fails (nothing of that one is kept)
 */
export async function migrateDatabase(url: string, folder = MIGRATIONS_DIR): Promise<string[]> {
  const { schema, ...settings } = connectionSettings(url);
  const client = new pg.Client(settings);
  client.on('error', () => {}); // the next query says so
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    if (schema !== undefined) await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
    await client.query(TABLE);
    const { rows } = await client.query<Recorded>(
      'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
    );
    const migrations = readMigrations(folder);
    checkHistory(migrations, rows);
    const applied = new Set(rows.map((row) => row.migration_name));
    const missing = migrations.filter((migration) => !applied.has(migration.name));
    for (const migration of missing) await applyMigration(client, migration);
    return missing.map((migration) => migration.name);
  } finally {
    await client.end(); // releases the lock, too
  }
}

async function applyMigration(client: pg.Client, { name, sql }: Migration) {
  const id = randomUUID();
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksumOf(sql),
    name,
  ]);
  try {
    await client.query(sql); // without parameters: one simple query, which Postgres runs as one transaction
  } catch (error) {
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, String(error)]);
    throw new StartupFault(`The database change "${name}" failed: ${(error as Error).message}`, { cause: error });
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id]);
}
