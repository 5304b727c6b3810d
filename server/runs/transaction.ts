/** One database transaction and what is to be told after it: nothing is announced that was not committed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Hub, LiveEvents } from '../context.ts';
import { noteFinishedStudies } from '../events/run-events.ts';
import { publishProgress, publishRuns } from './publish.ts';

export type CoreHub = Pick<Hub, 'pool' | 'bus'>;

export interface Tx {
  query: pg.PoolClient['query'];
  /** The run's summary is published after the commit. */
  runChanged(runId: string): void;
  /** Likewise, but it has only come further: pages may learn of it a little later. */
  runProgressed(runId: string): void;
  /** A run of it ended: before the commit it is seen whether that was the last one. */
  studyMayHaveFinished(studyId: string): void;
  /** Agents are told to ask after the commit. Null means every host. */
  nudge(hostId: string | null): void;
  emit<E extends keyof LiveEvents>(event: E, ...payload: LiveEvents[E]): void;
  /** For caches that must not know what was rolled back. */
  afterCommit(effect: () => void): void;
}

/** Chosen by Postgres as the victim of a deadlock, or lost a race: the same work may succeed when done again. */
const RETRYABLE_SQLSTATES: ReadonlySet<unknown> = new Set(['40P01', '40001']);
const MAX_TRIES = 4;
/** Time for the winner of a deadlock to take its locks; begun at once, the same work could get in its way again. */
const RETRY_MS = 20;

/**
 * Runs `work` in one transaction, committed when it returns and rolled back when it throws. `work` may run more than
 * once, so its only effects are queries and what it asks to be told.
 */
export async function transact<T>(hub: CoreHub, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transactOnce(hub, work);
    } catch (error) {
      if (attempt >= MAX_TRIES || !RETRYABLE_SQLSTATES.has((error as { code?: unknown }).code)) throw error;
    }
    await sleep(RETRY_MS * attempt);
  }
}

async function transactOnce<T>(hub: CoreHub, work: (tx: Tx) => Promise<T>): Promise<T> {
  const runs = new Set<string>();
  const progressed = new Set<string>();
  const studies = new Set<string>();
  const hosts = new Set<string | null>();
  const effects: (() => void)[] = [];
  const client = await hub.pool.connect();
  let broken = false;
  // A connection that dies between two queries says so by an event, and one that nobody hears ends the process. The next
  // query fails anyway, with the reason.
  const onLoss = () => {
    broken = true;
  };
  client.on('error', onLoss);
  let result: T;
  try {
    await client.query('BEGIN');
    const tx: Tx = {
      query: client.query.bind(client) as pg.PoolClient['query'],
      runChanged: (runId) => void runs.add(runId),
      runProgressed: (runId) => void progressed.add(runId),
      studyMayHaveFinished: (studyId) => void studies.add(studyId),
      nudge: (hostId) => void hosts.add(hostId),
      // The compiler cannot tie a generic event to its payload here; the signature above does.
      emit: (event, ...payload) => void effects.push(() => hub.bus.emit(event, ...(payload as never))),
      afterCommit: (effect) => void effects.push(effect),
    };
    result = await work(tx);
    await noteFinishedStudies(tx, studies);
    await client.query('COMMIT');
  } catch (error) {
    // When this fails, too, the connection is gone and the server rolls back by itself.
    await client.query('ROLLBACK').catch(onLoss);
    throw error;
  } finally {
    client.off('error', onLoss);
    client.release(broken);
  }
  for (const effect of effects) effect();
  for (const hostId of hosts.has(null) ? [null] : hosts) hub.bus.emit('agents:nudge', hostId);
  publishRuns(hub, runs);
  publishProgress(hub, progressed);
  return result;
}
