/** Deleting what is too old to be of use. */
import { DELIVERY_KEEP_DAYS, EVENT_KEEP_DAYS } from '@mealtable/protocol/tunables';
import type { Queryable } from '../runs/summary.ts';

/** Events of a study stay as long as it does: they are its story. */
export async function pruneEvents(db: Queryable): Promise<void> {
  await db.query(
    `DELETE FROM webhook_deliveries d USING events e
     WHERE e.id = d.event_id AND d.status <> 'pending' AND e.at < now() - $1 * interval '1 day'`,
    [DELIVERY_KEEP_DAYS],
  );
  await db.query(`DELETE FROM events WHERE study_id IS NULL AND at < now() - $1 * interval '1 day'`, [EVENT_KEEP_DAYS]);
}
