/** How an agent's attempts stand with the hub: what it answers to a hello and to each heartbeat. */
import type { AttemptRef, StopReason } from '@mealtable/protocol/agent-messages';
import type { RunStatus } from '@mealtable/protocol/statuses';
import { extendLeases, reviveAttempt } from './lifecycle-lease.ts';
import { KNOWS_PAUSE } from './lifecycle-pause.ts';
import type { Tx } from './transaction.ts';

export interface Standing extends AttemptRef {
  ackedSeq: number;
  /** Null: go on. */
  stop: StopReason | null;
}

/**
 * Extends the leases of the attempts that own their runs, brings lost ones back whose run nobody else has, and tells
 * which must stop.
 */
export async function settleAttempts(tx: Tx, hostId: string, attempts: readonly AttemptRef[]): Promise<Standing[]> {
  if (attempts.length === 0) return [];
  let held = await extendLeases(tx, hostId, attempts);
  const keyOf = (a: AttemptRef) => `${a.runId} ${a.attempt}`;
  let heldKeys = new Set(held.map(keyOf));
  const others = attempts.filter((a) => !heldKeys.has(keyOf(a)));
  let revived = false;
  for (const attempt of others) revived = (await reviveAttempt(tx, hostId, attempt)) || revived;
  if (revived) {
    held = await extendLeases(tx, hostId, attempts);
    heldKeys = new Set(held.map(keyOf));
  }
  const cancelled = new Set(held.filter((a) => a.cancelRequested).map(keyOf));
  const asked = held.filter((a) => a.pauseRequested);
  const paused = new Set(asked.length > 0 && (await knowsPause(tx, hostId)) ? asked.map(keyOf) : []);
  const { rows } = await tx.query<{ run_id: string; attempt: number; acked_seq: number; status: RunStatus }>(
    `SELECT a.run_id, a.attempt, a.acked_seq, r.status FROM run_attempts a JOIN runs r ON r.id = a.run_id
     JOIN unnest($1::text[], $2::int[]) AS l(run_id, attempt) ON l.run_id = a.run_id AND l.attempt = a.attempt`,
    [attempts.map((a) => a.runId), attempts.map((a) => a.attempt)],
  );
  const known = new Map(rows.map((row) => [keyOf({ runId: row.run_id, attempt: row.attempt }), row]));
  return attempts.map((ref) => {
    const row = known.get(keyOf(ref));
    const isCancelled = cancelled.has(keyOf(ref)) || (!heldKeys.has(keyOf(ref)) && row?.status === 'cancelled');
    const going = paused.has(keyOf(ref)) ? 'paused' : null;
    const stop = isCancelled ? 'cancelled' : heldKeys.has(keyOf(ref)) ? going : 'fenced';
    return { ...ref, ackedSeq: row?.acked_seq ?? 0, stop };
  });
}

/** An agent that does not would take it for a cancel: the run trains on, and its pause stays asked for. */
async function knowsPause(tx: Tx, hostId: string): Promise<boolean> {
  const { rows } = await tx.query(`SELECT 1 FROM hosts h WHERE h.id = $1 AND ${KNOWS_PAUSE}`, [hostId]);
  return rows.length > 0;
}
