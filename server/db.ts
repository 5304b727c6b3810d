/** The database: one pool, used by Prisma for records and directly for the few hand-written statements. */

import type { OutputStream } from '@mealtable/protocol/output';
import type { LogRecord } from '@mealtable/protocol/records';
import type * as Protocol from '@mealtable/protocol/statuses';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type * as Db from '../prisma/generated/client.ts';
import { PrismaClient } from '../prisma/generated/client.ts';

export type { PrismaClient };

export interface Database {
  db: PrismaClient;
  pool: pg.Pool;
  close(): Promise<void>;
}

/** Connections the hub keeps at most; the embedded server allows 40 in all. */
const MAX_CONNECTIONS = 10;

/**
 * pg settings for a Postgres URL. `?schema=` is Prisma's own parameter, unknown to Postgres: it becomes the search path.
 * The session's time zone is set to UTC because Prisma's adapter writes and reads times without their offset.
 */
export function connectionSettings(url: string): pg.ClientConfig & { schema: string | undefined } {
  const target = new URL(url);
  const schema = target.searchParams.get('schema') ?? undefined;
  target.searchParams.delete('schema');
  const searchPath =
    schema === undefined ? '' : ` -c search_path=${pg.escapeIdentifier(schema).replaceAll(/[\\ ]/g, '\\$&')}`;
  return {
    connectionString: target.toString(),
    options: `-c TimeZone=UTC${searchPath}`,
    connectionTimeoutMillis: 10_000,
    application_name: 'mealtable',
    schema,
  };
}

/** Opens no connection yet: the first query does. */
export function openDatabase(url: string): Database {
  const { schema, ...settings } = connectionSettings(url);
  const pool = new pg.Pool({ ...settings, max: MAX_CONNECTIONS });
  // An idle connection that breaks is dropped by the pool, and the next query reports what is wrong.
  pool.on('error', () => {});
  // One that breaks in the moment in which it is given out would end the process: its own error must be heard from the first.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new PrismaClient({ adapter: new PrismaPg(pool, { schema }) });
  return {
    db,
    pool,
    async close() {
      await db.$disconnect();
      await pool.end();
    },
  };
}

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

/** Compiles only while each database enum has exactly the protocol's words. */
export const ENUMS_MATCH = {
  userRole: true,
  tokenKind: true,
  runRole: true,
  studyKind: true,
  runStatus: true,
  attemptOutcome: true,
  failureCode: true,
  logLevel: true,
  outputStream: true,
  deliveryStatus: true,
} satisfies {
  userRole: Same<Db.UserRole, Protocol.UserRole>;
  tokenKind: Same<Db.TokenKind, Protocol.TokenKind>;
  runRole: Same<Db.RunRole, Protocol.RunRole>;
  studyKind: Same<Db.StudyKind, Protocol.StudyKind>;
  runStatus: Same<Db.RunStatus, Protocol.RunStatus>;
  attemptOutcome: Same<Db.AttemptOutcome, Protocol.AttemptOutcome>;
  failureCode: Same<Db.FailureCode, Protocol.FailureCode>;
  logLevel: Same<Db.LogLevel, LogRecord['level']>;
  outputStream: Same<Db.OutputStream, OutputStream>;
  deliveryStatus: Same<Db.DeliveryStatus, Protocol.DeliveryStatus>;
};
