// @prisma/adapter-pg is written for queries. Four of its habits do not suit migrations and are mended here, around it.
import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { createDatabase, dropDatabase, settingsOf, withDatabase } from './databases.mjs';

const CHAR = 18;
const CHAR_ARRAY = 1002;

/**
 * Postgres's one-byte type "char" fills the catalogues, and the adapter has no name for it. Such columns are called
 * arrays of it here, a type that the adapter knows and no catalogue query returns, and get their right name below.
 */
class CatalogPool extends pg.Pool {
  async query(...args) {
    const result = await super.query(...args);
    // A script of several statements has several results.
    for (const { fields } of [result].flat())
      for (const field of fields) if (field.dataTypeID === CHAR) field.dataTypeID = CHAR_ARRAY;
    return result;
  }
}
const nameCharacters = (type) => (type === ColumnTypeEnum.CharacterArray ? ColumnTypeEnum.Character : type);

async function openAdapter(url, afterClose = async () => {}) {
  const { schema, ...settings } = settingsOf(url);
  // One connection: a script may set things that the next one relies on.
  const pool = new CatalogPool({ ...settings, max: 1, idleTimeoutMillis: 0 });
  const adapter = await new PrismaPg(pool, { schema }).connect();
  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    async queryRaw(query) {
      const result = await adapter.queryRaw(query);
      return { ...result, columnTypes: result.columnTypes.map(nameCharacters) };
    },
    executeRaw: (query) => adapter.executeRaw(query),
    // Its own executeScript splits at every semicolon, also inside function bodies. Without arguments a query goes out
    // whole, and Postgres runs it as one transaction.
    async executeScript(sql) {
      await adapter.executeRaw({ sql, args: [], argTypes: [] });
    },
    startTransaction: (level) => adapter.startTransaction(level),
    getConnectionInfo: () => adapter.getConnectionInfo(),
    async dispose() {
      await adapter.dispose();
      await pool.end();
      await afterClose();
    },
  };
}

/** What the engine opens databases with. */
export function adapterFactory(url) {
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => openAdapter(url),
    // Its own version connects to the main database again, which the engine would then wipe.
    async connectToShadowDb() {
      const name = await createDatabase(url, `prisma_migrate_shadow_db_${randomUUID()}`);
      return openAdapter(withDatabase(url, name), () => dropDatabase(url, name));
    },
  };
}
