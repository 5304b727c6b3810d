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
/** Between looks whether a lost database is back. */
const REVIVE_MS = 2_000;

export interface HubLockOptions {
  url: string;
  /** Called before each attempt to get a lost database back: the embedded one is started again. */
  revive(): Promise<unknown>;
  log(line: string): void;
}

/**
 * Takes the lock and holds it by a connection of its own, so that Postgres gives it back whatever happens to the hub.
 * The same connection tells that the database has gone away; the lock is then taken anew as soon as it is back.
 * @returns how to give it back
 * @throws {StartupFault} when another hub holds it
 */
export async function holdHubLock({ url, revive, log }: HubLockOptions): Promise<() => Promise<void>> {
  const ending = new AbortController();
  let client = await takeLock(url);
  let regaining: Promise<void> = Promise.resolve();

  const regain = async () => {
    log('The database has gone away. What hosts report waits there until it is back.');
    while (!ending.signal.aborted) {
      try {
        await sleep(REVIVE_MS, undefined, { signal: ending.signal });
        await revive();
        client = await takeLock(url);
        watch();
        return log('The database is back.');
      } catch (error) {
        // Still away: told once above. Another hub on it is news.
        if (error instanceof StartupFault) log(error.message);
      }
    }
  };
  const watch = () => {
    client.once('end', () => {
      if (!ending.signal.aborted) regaining = regain();
    });
  };
  watch();
  return async () => {
    ending.abort();
    await regaining;
    await client.end();
  };
}

async function takeLock(url: string): Promise<pg.Client> {
  const { schema: _, ...settings } = connectionSettings(url);
  const client = new pg.Client({ ...settings, keepAlive: true, application_name: 'mealtable hub' });
  client.on('error', () => {}); // followed by 'end'
  await client.connect();
  try {
    for (let tries = 1; tries <= TRIES; tries++) {
      const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [LOCK]);
      if (rows[0]?.taken) return client;
      await sleep(RETRY_MS);
    }
  } catch (error) {
    await client.end();
    throw error;
  }
  await client.end();
  throw new StartupFault('Another hub runs on this database. Stop it first, or give this one its own MEALTABLE_DATA.');
}
