import type { AttemptInSlot } from '@mealtable/protocol/agent-messages';
import type { Tx } from '../runs/transaction.ts';

/** Files which slot each attempt has, for those that own their runs, whose rows the caller has locked. */
export async function noteSlots(tx: Tx, hostId: string, attempts: readonly AttemptInSlot[]): Promise<void> {
  const placed = attempts.filter(({ slot }) => slot !== undefined);
  if (placed.length === 0) return;
  await tx.query(
    `UPDATE run_attempts a SET slot = l.slot
     FROM unnest($2::text[], $3::int[], $4::int[]) AS l(run_id, attempt, slot)
     JOIN runs r ON r.id = l.run_id AND r.attempt = l.attempt AND r.host_id = $1
     WHERE a.run_id = l.run_id AND a.attempt = l.attempt AND a.slot IS DISTINCT FROM l.slot`,
    [hostId, placed.map(({ runId }) => runId), placed.map(({ attempt }) => attempt), placed.map(({ slot }) => slot)],
  );
}
