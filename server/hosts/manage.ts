/** What people decide about a host: what it is chosen by, and whether it takes runs. Doing anything twice changes nothing. */
import { AppError } from '@mealtable/protocol/errors';
import { type CoreHub, transact } from '../runs/transaction.ts';

/**
 * Writes one host and tells its agent to ask, since runs may be there for it now.
 * @param set assignments of columns, with values from $2 on @throws {AppError} not_found
 */
async function updateHost(hub: CoreHub, hostId: string, set: string, ...values: unknown[]): Promise<void> {
  await transact(hub, async (tx) => {
    const { rowCount } = await tx.query(`UPDATE hosts SET ${set} WHERE id = $1`, [hostId, ...values]);
    if (rowCount === 0) throw new AppError('not_found', `There is no host ${hostId}.`);
    tx.emit('hosts:changed');
    tx.nudge(hostId);
  });
}

/** @param labels all that it has from here on, besides those that its agent offers */
export const setLabels = (hub: CoreHub, hostId: string, labels: readonly string[]): Promise<void> =>
  updateHost(hub, hostId, 'labels = $2', labels);

/** It takes no more runs; what it trains goes on. */
export const drainHost = (hub: CoreHub, hostId: string): Promise<void> =>
  updateHost(hub, hostId, 'draining_at = COALESCE(draining_at, now())');

export const undrainHost = (hub: CoreHub, hostId: string): Promise<void> =>
  updateHost(hub, hostId, 'draining_at = NULL');

/** Ends a rest. The failures so far are forgiven: as many new ones are needed for the next. */
export const wakeHost = (hub: CoreHub, hostId: string): Promise<void> =>
  updateHost(hub, hostId, 'resting_until = LEAST(resting_until, now()), rest_reason = NULL');
