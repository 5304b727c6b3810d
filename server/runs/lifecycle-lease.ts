/**
 * The status edges that silence decides. Only the database's clock counts: hub and hosts may disagree about the time.
 * A lost run is queued again, not failed, and its old attempt may still come back while no other has been claimed.
 */
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import { LEASE_MS } from '@mealtable/protocol/tunables';
import { noteHostLost } from '../events/host-events.ts';
import type { AttemptEnding } from './judge-ending.ts';
import { finishAttempt } from './lifecycle.ts';
import type { Tx } from './transaction.ts';

const lost = (message: string): AttemptEnding => ({
  outcome: 'lost',
  failureCode: 'host_lost',
  message,
  exitCode: null,
  signal: null,
});

/** Gives the host's listed attempts a full lease. @returns those that own their runs, and what is asked of them */
export async function extendLeases(
  tx: Tx,
  hostId: string,
  attempts: readonly AttemptRef[],
): Promise<(AttemptRef & { cancelRequested: boolean; pauseRequested: boolean })[]> {
  const { rows } = await tx.query<{
    id: string;
    attempt: number;
    cancel_requested: boolean;
    pause_requested: boolean;
  }>(
    `WITH listed AS (SELECT * FROM unnest($2::text[], $3::int[]) AS l(run_id, attempt)),
     held AS (SELECT r.id FROM runs r JOIN listed l ON l.run_id = r.id AND l.attempt = r.attempt
              WHERE r.host_id = $1 AND r.status IN ('claimed', 'running') ORDER BY r.id FOR NO KEY UPDATE OF r)
     UPDATE runs r SET lease_expires_at = now() + $4 * interval '1 millisecond' FROM held WHERE r.id = held.id
     RETURNING r.id, r.attempt, r.cancel_requested_at IS NOT NULL AS cancel_requested,
               r.pause_requested_at IS NOT NULL AS pause_requested`,
    [hostId, attempts.map((a) => a.runId), attempts.map((a) => a.attempt), LEASE_MS],
  );
  return rows.map((row) => ({
    runId: row.id,
    attempt: row.attempt,
    cancelRequested: row.cancel_requested,
    pauseRequested: row.pause_requested,
  }));
}

/**
 * queued -> claimed | running for an attempt that was given up as lost, when its host is heard of again before another
 * attempt was claimed: hours of training are not repeated for a cut network. A run that was paused meanwhile is to be paused there.
 * @param hostId the host that speaks; null when it is not known
 */
export async function reviveAttempt(tx: Tx, hostId: string | null, { runId, attempt }: AttemptRef): Promise<boolean> {
  const { rowCount } = await tx.query(
    `WITH moved AS (
       UPDATE runs r SET status = CASE WHEN a.started_at IS NULL THEN 'claimed' ELSE 'running' END::run_status,
              host_id = a.host_id, lease_expires_at = now() + $3 * interval '1 millisecond',
              pause_requested_at = r.held_at, held_at = NULL
       FROM run_attempts a
       WHERE r.id = $1 AND r.attempt = $2 AND r.status = 'queued'
         AND a.run_id = r.id AND a.attempt = r.attempt AND a.outcome = 'lost' AND a.host_id = COALESCE($4, a.host_id)
       RETURNING r.id)
     UPDATE run_attempts a SET ended_at = NULL, outcome = NULL, failure_code = NULL, message = NULL
     FROM moved WHERE a.run_id = moved.id AND a.attempt = $2`,
    [runId, attempt, LEASE_MS, hostId],
  );
  if (rowCount === 0) return false;
  tx.runChanged(runId);
  return true;
}

/** claimed | running -> queued (or failed, after the last attempt) where the lease ran out. @returns the runs */
export async function expireLeases(tx: Tx): Promise<string[]> {
  const { rows } = await tx.query<{ id: string; attempt: number; host_id: string | null; host_name: string | null }>(
    `SELECT r.id, r.attempt, r.host_id, h.name AS host_name FROM runs r LEFT JOIN hosts h ON h.id = r.host_id
     WHERE r.status IN ('claimed', 'running') AND r.lease_expires_at < now()
     ORDER BY r.id FOR NO KEY UPDATE OF r SKIP LOCKED`,
  );
  for (const run of rows) {
    const message = `Nothing was heard of the host ${run.host_name ?? ''} for ${LEASE_MS / 1000} seconds.`;
    await finishAttempt(tx, run.id, run.attempt, lost(message.replace('  ', ' ')));
  }
  for (const hostId of new Set(rows.map((run) => run.host_id))) {
    const runs = rows.filter((run) => run.host_id === hostId).length;
    if (hostId !== null)
      await noteHostLost(tx, hostId, runs, `Nothing was heard of it for ${LEASE_MS / 1000} seconds.`);
  }
  return rows.map((row) => row.id);
}

/**
 * What the hub believed to be on this host, and is not: the agent has just listed all that it has. Queued again at once.
 * @param listed every attempt that the host has, running or still to be reported @param reason a sentence for the event
 */
export async function loseUnlisted(
  tx: Tx,
  hostId: string,
  listed: readonly AttemptRef[],
  reason = 'It came back without them.',
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string; attempt: number }>(
    `SELECT id, attempt FROM runs r WHERE host_id = $1 AND status IN ('claimed', 'running')
       AND NOT EXISTS (SELECT 1 FROM unnest($2::text[], $3::int[]) AS l(run_id, attempt)
                       WHERE l.run_id = r.id AND l.attempt = r.attempt)
     ORDER BY id FOR NO KEY UPDATE`,
    [hostId, listed.map((a) => a.runId), listed.map((a) => a.attempt)],
  );
  for (const run of rows)
    await finishAttempt(tx, run.id, run.attempt, lost('The host does not know this attempt any more.'));
  if (rows.length > 0) await noteHostLost(tx, hostId, rows.length, reason);
  return rows.map((row) => row.id);
}

/** A host is taken off the list: what it had is lost. */
export async function loseHost(tx: Tx, hostId: string): Promise<string[]> {
  return loseUnlisted(tx, hostId, [], 'It was taken off the list.');
}

/** claimed -> queued for grants that never left the hub: nothing was tried, so the allowance is untouched. */
export async function releaseClaims(tx: Tx, claims: readonly AttemptRef[]): Promise<void> {
  const message = 'The host went away before it was told.';
  for (const { runId, attempt } of claims)
    await finishAttempt(tx, runId, attempt, {
      outcome: 'interrupted',
      failureCode: null,
      message,
      exitCode: null,
      signal: null,
    });
}

/** A full lease for every active attempt: while the hub was away nobody could be heard, so silence proves nothing. */
export async function renewAllLeases(tx: Tx): Promise<void> {
  await tx.query(
    `UPDATE runs SET lease_expires_at = now() + $1 * interval '1 millisecond' WHERE status IN ('claimed', 'running')`,
    [LEASE_MS],
  );
}
