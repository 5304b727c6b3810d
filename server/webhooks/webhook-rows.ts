/** Webhooks as owners set them up. Secrets leave the hub once, in the answer that makes them. */
import { AppError } from '@mealtable/protocol/errors';
import type { EventKind } from '@mealtable/protocol/events';
import { MAX_WEBHOOKS } from '@mealtable/protocol/tunables';
import type { DeliveryView, NewWebhook, WebhookChange, WebhookView } from '@mealtable/protocol/webhooks';
import type { Hub } from '../context.ts';
import { insertEvent } from '../events/note-event.ts';
import type { Queryable } from '../runs/summary.ts';
import { type CoreHub, transact } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';
import { makeSecret } from './sign.ts';

/** Deliveries that the settings page shows. */
const SHOWN_DELIVERIES = 50;
const unknownWebhook = () => new AppError('not_found', 'There is no such webhook; somebody has removed it.');

/** @returns the secret, which is not shown again @throws {AppError} conflict above MAX_WEBHOOKS */
export async function createWebhook(
  hub: Pick<Hub, 'pool' | 'ids'>,
  { label, url, kinds, allowsPrivate, enabled }: NewWebhook,
  createdById: string,
): Promise<{ id: string; secret: string }> {
  const id = hub.ids('webhook');
  const secret = makeSecret();
  const { rowCount } = await hub.pool.query(
    `INSERT INTO webhooks (id, label, url, secret, kinds, allows_private, enabled, created_by_id)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM webhooks) < $9`,
    [id, withoutNul(label), withoutNul(url), secret, kinds, allowsPrivate, enabled, createdById, MAX_WEBHOOKS],
  );
  if (rowCount === 0)
    throw new AppError('conflict', `A hub has ${MAX_WEBHOOKS} webhooks at most. Remove one that nobody needs.`);
  return { id, secret };
}

/** What is pending goes to the new address. @throws {AppError} not_found */
export async function changeWebhook(
  hub: CoreHub,
  { id, label, url, kinds, allowsPrivate, enabled }: WebhookChange,
): Promise<void> {
  const { rowCount } = await hub.pool.query(
    'UPDATE webhooks SET label = $2, url = $3, kinds = $4, allows_private = $5, enabled = $6 WHERE id = $1',
    [id, withoutNul(label), withoutNul(url), kinds, allowsPrivate, enabled],
  );
  if (rowCount === 0) throw unknownWebhook();
  hub.bus.emit('webhooks:due');
}

/** The old secret signs nothing from now on. @throws {AppError} not_found */
export async function renewSecret(hub: Pick<Hub, 'pool'>, id: string): Promise<{ secret: string }> {
  const secret = makeSecret();
  const { rowCount } = await hub.pool.query('UPDATE webhooks SET secret = $2 WHERE id = $1', [id, secret]);
  if (rowCount === 0) throw unknownWebhook();
  return { secret };
}

/** With its deliveries, pending ones too. @throws {AppError} not_found */
export async function removeWebhook(hub: Pick<Hub, 'pool'>, id: string): Promise<void> {
  const { rowCount } = await hub.pool.query('DELETE FROM webhooks WHERE id = $1', [id]);
  if (rowCount === 0) throw unknownWebhook();
}

/** An event of its own for this webhook alone, on the way that all take. @throws {AppError} not_found, or conflict when it is off */
export async function testWebhook(hub: CoreHub, id: string): Promise<{ eventId: number }> {
  return transact(hub, async (tx) => {
    const { rows } = await tx.query<{ label: string; enabled: boolean }>(
      'SELECT label, enabled FROM webhooks WHERE id = $1 FOR KEY SHARE',
      [id],
    );
    const webhook = rows[0];
    if (!webhook) throw unknownWebhook();
    if (!webhook.enabled) throw new AppError('conflict', 'This webhook is switched off. Switch it on, then test it.');
    const event = await insertEvent(tx, { kind: 'test', label: webhook.label });
    await tx.query('INSERT INTO webhook_deliveries (webhook_id, event_id) VALUES ($1, $2)', [id, event.id]);
    tx.emit('webhooks:due');
    return { eventId: event.id };
  });
}

/** One more try at once, of any delivery. @throws {AppError} not_found */
export async function redeliver(hub: CoreHub, id: string, eventId: number): Promise<void> {
  const { rowCount } = await hub.pool.query(
    `UPDATE webhook_deliveries SET status = 'pending', next_try_at = now(), delivered_at = NULL
     WHERE webhook_id = $1 AND event_id = $2`,
    [id, eventId],
  );
  if (rowCount === 0) throw new AppError('not_found', 'This delivery is not kept any more.');
  hub.bus.emit('webhooks:due');
}

interface WebhookRow {
  id: string;
  label: string;
  url: string;
  kinds: EventKind[];
  allows_private: boolean;
  enabled: boolean;
  created_at: Date;
  created_by: string | null;
  counts: WebhookView['counts'];
  last: WebhookView['last'];
}

/** In the order of their making. */
export async function listWebhooks(db: Queryable): Promise<WebhookView[]> {
  const { rows } = await db.query<WebhookRow>(
    `SELECT w.id, w.label, w.url, w.kinds, w.allows_private, w.enabled, w.created_at, u.name AS created_by,
            (SELECT json_build_object('pending', count(*) FILTER (WHERE d.status = 'pending'),
                    'delivered', count(*) FILTER (WHERE d.status = 'delivered'),
                    'failed', count(*) FILTER (WHERE d.status = 'failed'))
             FROM webhook_deliveries d WHERE d.webhook_id = w.id) AS counts,
            (SELECT json_build_object('status', d.status, 'lastStatus', d.last_status, 'lastError', d.last_error)
             FROM webhook_deliveries d
             WHERE d.webhook_id = w.id AND (d.last_status IS NOT NULL OR d.last_error IS NOT NULL)
             ORDER BY d.event_id DESC LIMIT 1) AS last
     FROM webhooks w LEFT JOIN users u ON u.id = w.created_by_id ORDER BY w.created_at, w.id`,
  );
  return rows.map((row) => ({
    id: row.id,
    label: row.label,
    url: row.url,
    kinds: row.kinds,
    allowsPrivate: row.allows_private,
    enabled: row.enabled,
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
    counts: row.counts,
    last: row.last,
  }));
}

interface DeliveryRow {
  event_id: string;
  kind: EventKind;
  at: Date;
  study_name: string | null;
  status: DeliveryView['status'];
  tries: number;
  next_try_at: Date;
  last_status: number | null;
  last_error: string | null;
  delivered_at: Date | null;
}

/** The newest ones first. */
export async function listDeliveries(db: Queryable, webhookId: string): Promise<DeliveryView[]> {
  const { rows } = await db.query<DeliveryRow>(
    `SELECT d.event_id, e.kind, e.at, s.name AS study_name, d.status, d.tries, d.next_try_at, d.last_status, d.last_error,
            d.delivered_at
     FROM webhook_deliveries d JOIN events e ON e.id = d.event_id LEFT JOIN studies s ON s.id = e.study_id
     WHERE d.webhook_id = $1 ORDER BY d.event_id DESC LIMIT $2`,
    [webhookId, SHOWN_DELIVERIES],
  );
  return rows.map((row) => ({
    eventId: Number(row.event_id),
    kind: row.kind,
    at: row.at.getTime(),
    studyName: row.study_name,
    status: row.status,
    tries: row.tries,
    nextTryAt: row.status === 'pending' ? row.next_try_at.getTime() : null,
    lastStatus: row.last_status,
    lastError: row.last_error,
    deliveredAt: row.delivered_at?.getTime() ?? null,
  }));
}
