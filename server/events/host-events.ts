/** Events of hosts. */
import { LEASE_MS } from '@mealtable/protocol/tunables';
import type { Tx } from '../runs/transaction.ts';
import { noteEvent } from './note-event.ts';

/** How a host was known before it says hello: not at all, or away, or there. Locks its row. */
export async function wasHostThere(tx: Tx, hostId: string): Promise<'unknown' | 'away' | 'there'> {
  const { rows } = await tx.query<{ away: boolean }>(
    `SELECT detached_at IS NOT NULL OR last_seen_at IS NULL OR last_seen_at < now() - $2 * interval '1 millisecond' AS away
     FROM hosts WHERE id = $1 FOR NO KEY UPDATE`,
    [hostId, LEASE_MS],
  );
  if (!rows[0]) return 'unknown';
  return rows[0].away ? 'away' : 'there';
}

/**
 * Attempts were taken away from a host, in this transaction: one event until the host is heard of again, however many
 * attempts go one after the other.
 */
export async function noteHostLost(tx: Tx, hostId: string, runs: number, reason: string): Promise<void> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT h.name FROM hosts h WHERE h.id = $1 AND NOT EXISTS (
       SELECT 1 FROM events e WHERE e.host_id = h.id AND e.kind = 'host-lost' AND e.at > h.last_seen_at)`,
    [hostId],
  );
  if (rows[0]) await noteEvent(tx, { kind: 'host-lost', hostId, host: rows[0].name, runs, reason });
}
