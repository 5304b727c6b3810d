/** What launchers did and saw, stored in the order in which it happened, and told to whoever watches. */

import type { LauncherEventView } from '@mealtable/protocol/launcher-views';
import { MAX_LOG_LINE } from '@mealtable/protocol/tunables';
import type { Hub } from '../context.ts';
import type { Queryable } from '../runs/summary.ts';
import { withoutNul } from '../without-nul.ts';

export interface NewLauncherEvent {
  step: string;
  kind: LauncherEventView['kind'];
  message: string;
}
type LogHub = Pick<Hub, 'pool' | 'bus'>;

/** Of each launcher; older ones go when the next launch begins. */
const KEPT_EVENTS = 5_000;
/** Lines gathered into one statement: npm may print thousands. */
const MAX_BATCH = 500;

export class EventLog {
  readonly #hub: LogHub;
  #waiting: (NewLauncherEvent & { launcherId: string })[] = [];
  #writing: Promise<void> | null = null;
  #isClosed = false;

  constructor(hub: LogHub) {
    this.#hub = hub;
  }

  add(launcherId: string, event: NewLauncherEvent): void {
    // What goes on without the hub is found again by its token, not by its events.
    if (this.#isClosed) return;
    this.#waiting.push({ ...event, launcherId });
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /** Resolves when all that was added is stored. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** Stores what was added; what comes later is dropped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        await insertEvents(this.#hub.pool, batch);
      } catch (error) {
        // A launcher that was removed meanwhile, or a database that is away: the launch itself goes on.
        console.error('Events of a launcher could not be stored:', error);
      }
      for (const launcherId of new Set(batch.map((event) => event.launcherId)))
        this.#hub.bus.emit('launcher:changed', { launcherId });
    }
  }
}

async function insertEvents(db: Queryable, events: (NewLauncherEvent & { launcherId: string })[]): Promise<void> {
  await db.query(
    `INSERT INTO launcher_events (launcher_id, step, kind, line)
     SELECT e.launcher_id, e.step, e.kind::launcher_event_kind, e.line
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS e(launcher_id, step, kind, line, n)
     JOIN launchers l ON l.id = e.launcher_id ORDER BY e.n`,
    [
      events.map((e) => e.launcherId),
      events.map((e) => e.step),
      events.map((e) => e.kind),
      events.map((e) => withoutNul(e.message).slice(0, MAX_LOG_LINE)),
    ],
  );
}

export async function pruneEvents(db: Queryable, launcherId: string): Promise<void> {
  await db.query(
    `DELETE FROM launcher_events WHERE launcher_id = $1 AND id < (
       SELECT id FROM launcher_events WHERE launcher_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)`,
    [launcherId, KEPT_EVENTS],
  );
}

/** Events after that id, oldest first; without one the newest. */
export async function readEvents(
  db: Queryable,
  launcherId: string,
  after: number | null,
  limit: number,
): Promise<LauncherEventView[]> {
  const { rows } = await db.query<{
    id: string;
    at: Date;
    step: string;
    kind: LauncherEventView['kind'];
    line: string;
  }>(
    after === null
      ? `SELECT * FROM (SELECT id, at, step, kind, line FROM launcher_events WHERE launcher_id = $1 ORDER BY id DESC LIMIT $2) e
         ORDER BY id`
      : `SELECT id, at, step, kind, line FROM launcher_events WHERE launcher_id = $1 AND id > $3 ORDER BY id LIMIT $2`,
    after === null ? [launcherId, limit] : [launcherId, limit, after],
  );
  return rows.map((row) => ({ ...row, id: Number(row.id), at: row.at.getTime() }));
}
