/** Hosts: what an agent said of its machine, and when it was last heard of, by the database's clock. */
import type { HostReport } from '@mealtable/protocol/agent-messages';
import { AppError } from '@mealtable/protocol/errors';
import { wasHostThere } from '../events/host-events.ts';
import { noteEvent } from '../events/note-event.ts';
import { loseHost } from '../runs/lifecycle-lease.ts';
import type { Queryable } from '../runs/summary.ts';
import { type CoreHub, type Tx, transact } from '../runs/transaction.ts';
import { withoutNul, withoutNulDeep } from '../without-nul.ts';
import { HOST_STATE } from './host-state.ts';

/** An agent said hello: the host is there, with what its report says. */
export async function upsertHost(tx: Tx, hostId: string, agentVersion: string, report: HostReport): Promise<void> {
  const before = await wasHostThere(tx, hostId);
  await tx.query(
    `INSERT INTO hosts (id, name, report, agent_version, last_seen_at) VALUES ($1, $2, $3, $4, now())
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, report = excluded.report,
       agent_version = excluded.agent_version, last_seen_at = now(), detached_at = NULL`,
    [hostId, withoutNul(report.name), JSON.stringify(withoutNulDeep(report)), withoutNul(agentVersion)],
  );
  if (before !== 'there')
    await noteEvent(tx, { kind: 'host-attached', hostId, host: report.name, isNew: before === 'unknown' });
  tx.emit('hosts:changed');
}

/** @returns false when the host was taken off the list: its agent has to say hello again */
export async function touchHost(tx: Tx, hostId: string): Promise<boolean> {
  const { rowCount } = await tx.query('UPDATE hosts SET last_seen_at = now(), detached_at = NULL WHERE id = $1', [
    hostId,
  ]);
  return rowCount === 1;
}

/** The agent said goodbye. Its runs keep their leases: it may be back before they end. */
export async function detachHost(hub: CoreHub, hostId: string): Promise<void> {
  await transact(hub, async (tx) => {
    const { rows } = await tx.query<{ name: string; was_there: boolean }>(
      `UPDATE hosts h SET detached_at = now() FROM (SELECT id, detached_at FROM hosts WHERE id = $1 FOR NO KEY UPDATE) AS before
       WHERE h.id = before.id RETURNING h.name, before.detached_at IS NULL AS was_there`,
      [hostId],
    );
    if (rows[0]?.was_there) await noteEvent(tx, { kind: 'host-detached', hostId, host: rows[0].name });
    tx.emit('hosts:changed');
  });
}

/**
 * Takes a host off the list; what it was running is lost and queued again.
 * @throws {AppError} not_found, or conflict while the host is online
 */
export async function removeHost(hub: CoreHub, hostId: string): Promise<void> {
  await transact(hub, async (tx) => {
    const { rows } = await tx.query<{ name: string; state: string }>(
      `SELECT h.name, ${HOST_STATE} AS state FROM hosts h WHERE h.id = $1 FOR UPDATE`,
      [hostId],
    );
    const host = rows[0];
    if (!host) throw new AppError('not_found', `There is no host ${hostId}.`);
    if (host.state === 'online')
      throw new AppError('conflict', `${host.name} is online. Stop its agent first, then remove it.`);
    await loseHost(tx, hostId);
    await tx.query('DELETE FROM hosts WHERE id = $1', [hostId]);
    tx.emit('hosts:changed');
  });
}

/** How many hosts are in each state, as a text to compare with the last one: a host falls silent without an event. */
export async function describeHostStates(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ states: string | null }>(
    `SELECT string_agg(h.id || ${HOST_STATE}, ',' ORDER BY h.id) AS states FROM hosts h`,
  );
  return rows[0]?.states ?? '';
}
