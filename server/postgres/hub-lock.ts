/** One hub per database: what it keeps in memory (sockets, nudges, broadcasts) is not shared with another. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { connectionSettings } from '../db.ts';
import { StartupFault } from '../startup-fault.ts';

/** "MEAL" in ASCII; a number that nothing else in the database locks. */
const LOCK = 0x4d45414c;
/** The server needs a moment to notice that a killed hub is gone. */
const TRIES = 10;
const RETRY_MS = 500;

/**
 * Held by a connection of its own, so Postgres gives it back whatever happens to the hub.
 * @returns how to give it back
 * @throws {StartupFault} when another hub holds it
 */
export async function takeHubLock(url: string): Promise<() => Promise<void>> {
  const { schema: _, ...settings } = connectionSettings(url);
  const client = new pg.Client({ ...settings, keepAlive: true, application_name: 'mealtable hub' });
  // Lost only with the server itself; then the hub's queries fail, too, and say so.
  client.on('error', () => {});
  await client.connect();
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [LOCK]);
    if (rows[0]?.taken) return () => client.end();
    if (tries === TRIES) break;
    await sleep(RETRY_MS);
  }
  await client.end();
  throw new StartupFault('Another hub runs on this database. Stop it first, or give this one its own MEALTABLE_DATA.');
}
