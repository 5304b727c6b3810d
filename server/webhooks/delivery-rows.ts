/** Deliveries on their way: taken by one hub at a time, and settled by the try that took them. */
import type { EventView } from '@mealtable/protocol/events';
import { WEBHOOK_CLAIM_MS, WEBHOOK_RETRY_MS } from '@mealtable/protocol/tunables';
import { SELECT_EVENTS, toEventView } from '../events/read-events.ts';
import type { Queryable } from '../runs/summary.ts';
import type { SendResult } from './send.ts';

export interface ClaimedDelivery {
  webhookId: string;
  eventId: string;
  /** Number of this try, from 1. */
  tries: number;
  url: string;
  secret: string;
  allowsPrivate: boolean;
}

/**
 * The oldest due delivery of each webhook but the busy ones: a slow receiver keeps nobody else waiting. A claim lasts
 * WEBHOOK_CLAIM_MS; one that its hub did not live to settle is due again after that.
 */
export async function claimDeliveries(db: Queryable, busyWebhookIds: readonly string[]): Promise<ClaimedDelivery[]> {
  const { rows } = await db.query<{
    webhook_id: string;
    event_id: string;
    tries: number;
    url: string;
    secret: string;
    allows_private: boolean;
  }>(
    `WITH due AS (
       SELECT d.webhook_id, d.event_id FROM webhooks w CROSS JOIN LATERAL (
         SELECT webhook_id, event_id FROM webhook_deliveries
         WHERE webhook_id = w.id AND status = 'pending' AND next_try_at <= now()
         ORDER BY event_id LIMIT 1 FOR UPDATE SKIP LOCKED) d
       WHERE w.enabled AND w.id <> ALL($1))
     UPDATE webhook_deliveries d SET tries = d.tries + 1, next_try_at = now() + $2 * interval '1 millisecond'
     FROM due, webhooks w
     WHERE d.webhook_id = due.webhook_id AND d.event_id = due.event_id AND w.id = d.webhook_id
     RETURNING d.webhook_id, d.event_id, d.tries, w.url, w.secret, w.allows_private`,
    [busyWebhookIds, WEBHOOK_CLAIM_MS],
  );
  return rows.map((row) => ({
    webhookId: row.webhook_id,
    eventId: row.event_id,
    tries: row.tries,
    url: row.url,
    secret: row.secret,
    allowsPrivate: row.allows_private,
  }));
}

/** @returns null when the event has gone with its study */
export async function loadDeliveredEvent(db: Queryable, eventId: string): Promise<EventView | null> {
  const { rows } = await db.query(`${SELECT_EVENTS} WHERE e.id = $1`, [eventId]);
  return rows[0] ? toEventView(rows[0]) : null;
}

/**
 * pending -> delivered | failed, or pending until the next try. The number of the try is the fence: one that was slower
 * than its claim, or that somebody asked to be made again, changes nothing.
 * @returns false when it was
 */
export async function settleDelivery(
  db: Queryable,
  { webhookId, eventId, tries }: ClaimedDelivery,
  result: SendResult,
): Promise<boolean> {
  const wait = result.ok || result.final ? undefined : WEBHOOK_RETRY_MS[tries - 1];
  const status = result.ok ? 'delivered' : wait === undefined ? 'failed' : 'pending';
  const { rowCount } = await db.query(
    `UPDATE webhook_deliveries SET status = $4::delivery_status, last_status = $5, last_error = $6,
            next_try_at = now() + $7 * interval '1 millisecond',
            delivered_at = CASE WHEN $4 = 'delivered' THEN now() END
     WHERE webhook_id = $1 AND event_id = $2 AND tries = $3 AND status = 'pending'`,
    [
      webhookId,
      eventId,
      tries,
      status,
      result.status,
      // What a receiver answers may hold anything.
      result.ok ? null : result.error.replaceAll('\0', '\uFFFD'),
      wait ?? 0,
    ],
  );
  return rowCount === 1;
}
