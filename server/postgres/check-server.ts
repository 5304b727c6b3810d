/** A Postgres server of the user's own, named by DATABASE_URL: can it be used, and if not, why? */
import pg from 'pg';
import { connectionSettings } from '../db.ts';
import { StartupFault } from '../startup-fault.ts';

/** `SHOW server_version_num` of Postgres 10. */
const OLDEST = 100_000;

/** @returns the sentence for a failed connection */
function explain(error: NodeJS.ErrnoException, url: URL): string {
  const server = `${url.hostname}:${url.port || 5432}`;
  const database = decodeURIComponent(url.pathname.slice(1));
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `No Postgres answers at ${server}. Start it, or correct DATABASE_URL.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `There is no computer named ${url.hostname}. Correct DATABASE_URL.`;
    case '28P01':
    case '28000':
      return `Postgres at ${server} does not accept the user "${url.username}" with this password. Correct DATABASE_URL.`;
    case '3D000':
      return `Postgres at ${server} has no database "${database}". Create it, or correct DATABASE_URL.`;
    case '53300':
      return `Postgres at ${server} has no connection left for the hub. Close some, or raise its max_connections.`;
    default:
      return `Postgres at ${server} cannot be used: ${error.message || error.code}`;
  }
}

/** @throws {StartupFault} one sentence: unreachable, wrong password, no such database, too old */
export async function checkServer(address: string): Promise<void> {
  const { schema: _, ...settings } = connectionSettings(address);
  const client = new pg.Client(settings);
  client.on('error', () => {}); // the next query says so
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string; server_version: string }>(
      `SELECT current_setting('server_version_num') AS server_version_num, current_setting('server_version') AS server_version`,
    );
    const version = rows[0];
    if (Number(version?.server_version_num) < OLDEST)
      throw new StartupFault(
        `The server of DATABASE_URL is Postgres ${version?.server_version}; Mealtable needs 10 or newer.`,
      );
  } catch (error) {
    if (error instanceof StartupFault) throw error;
    // A name with several addresses fails once for each.
    const cause = error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error);
    throw new StartupFault(explain(cause, new URL(address)), { cause });
  } finally {
    await client.end().catch(() => {}); // it may never have been connected
  }
}
