/** Writing down what happened, in the transaction of the change itself: both are stored, or neither. */
import type { EventDetail, EventView } from '@mealtable/protocol/events';
import type { Tx } from '../runs/transaction.ts';
import { withoutNulDeep } from '../without-nul.ts';

export type NewEvent = EventDetail & { studyId?: string | null; runId?: string | null; hostId?: string | null };

/**
 * Stores the event with a pending delivery for every webhook that is to be told of its kind, and announces it after the
 * commit. What it refers to must be locked by the transaction, or new in it.
 */
export async function noteEvent(tx: Tx, event: NewEvent): Promise<EventView> {
  const view = await insertEvent(tx, event);
  // Locked and so looked at again: a webhook that is being removed gets no delivery instead of failing the change.
  const { rowCount } = await tx.query(
    `INSERT INTO webhook_deliveries (webhook_id, event_id)
     SELECT w.id, $1 FROM webhooks w WHERE w.enabled AND $2 = ANY(w.kinds) FOR KEY SHARE`,
    [view.id, view.kind],
  );
  if (rowCount !== 0) tx.emit('webhooks:due');
  tx.emit('event:noted', view);
  return view;
}

/** The event alone, told to nobody. */
export async function insertEvent(
  tx: Tx,
  { kind, studyId = null, runId = null, hostId = null, ...rest }: NewEvent,
): Promise<EventView> {
  const detail = withoutNulDeep(rest);
  const { rows } = await tx.query<{ id: string; at: Date; study_name: string | null }>(
    `INSERT INTO events (kind, study_id, run_id, host_id, detail) VALUES ($1, $2, $3, $4, $5)
     RETURNING id, at, (SELECT name FROM studies WHERE id = $2) AS study_name`,
    [kind, studyId, runId, hostId, JSON.stringify(detail)],
  );
  const { id, at, study_name: studyName } = rows[0]!;
  return { ...detail, kind, id: Number(id), at: at.getTime(), studyId, studyName, runId, hostId } as EventView;
}
