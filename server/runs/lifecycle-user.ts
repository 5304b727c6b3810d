/** The status edges that people ask for: cancel and retry. */
import { AppError } from '@mealtable/protocol/errors';
import type { RunStatus } from '@mealtable/protocol/statuses';
import { MAX_ATTEMPTS } from '@mealtable/protocol/tunables';
import { noteAct, noteCancelled, noteRetry } from '../events/run-events.ts';
import { failDependents, requeueDependents } from './lifecycle-dependents.ts';
import type { Tx } from './transaction.ts';

/**
 * queued -> cancelled at once. An active run is marked, its host is told, and it becomes cancelled when its attempt
 * ends. Runs that have ended are left as they are.
 * @param by name of the member who asks; null where nobody does
 * @returns how many runs were cancelled or marked
 */
export async function requestCancel(tx: Tx, runIds: string[], by: string | null = null): Promise<number> {
  // Locked first: a run that goes from active to queued between the two statements would be seen by neither.
  await tx.query('SELECT 1 FROM runs WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE', [runIds]);
  const cancelled = await tx.query<{ id: string }>(
    `UPDATE runs SET status = 'cancelled', cancel_requested_at = now(), finished_at = now(), failure_code = NULL,
            failure_message = NULL, held_at = NULL, paused_by_id = NULL
     WHERE id = ANY($1) AND status = 'queued' RETURNING id`,
    [runIds],
  );
  const marked = await tx.query<{ id: string; host_id: string | null }>(
    `UPDATE runs SET cancel_requested_at = now()
     WHERE id = ANY($1) AND status IN ('claimed', 'running') AND cancel_requested_at IS NULL RETURNING id, host_id`,
    [runIds],
  );
  for (const { id } of [...cancelled.rows, ...marked.rows]) tx.runChanged(id);
  for (const { host_id } of marked.rows) tx.nudge(host_id);
  const markedIds = marked.rows.map((row) => row.id);
  await noteAct(tx, { kind: 'cancel-requested' }, markedIds, by);
  if (cancelled.rows.length > 0) {
    const ids = cancelled.rows.map((row) => row.id);
    await noteCancelled(tx, ids, by);
    await failDependents(tx, ids);
  }
  return cancelled.rows.length + marked.rows.length;
}

/**
 * failed | cancelled -> queued with a fresh allowance of attempts; it goes on from its last checkpoint. Runs that failed
 * only because of this one are queued again with it.
 * @param by name of the member who asks
 * @throws {AppError} not_found, or conflict when the run has not ended badly or needs one that has
 */
export async function retryRun(tx: Tx, runId: string, by: string | null = null): Promise<void> {
  await lockNeeded(tx, runId);
  const { rows } = await tx.query<{ status: RunStatus }>('SELECT status FROM runs WHERE id = $1 FOR NO KEY UPDATE', [
    runId,
  ]);
  const run = rows[0];
  if (!run) throw new AppError('not_found', `There is no run ${runId}.`);
  if (run.status !== 'failed' && run.status !== 'cancelled')
    throw new AppError('conflict', `Only a failed or cancelled run can be tried again; this one is ${run.status}.`);
  const blocking = await tx.query<{ label: string; status: RunStatus }>(
    `SELECT v.label, n.status FROM run_dependencies d JOIN runs n ON n.id = d.depends_on_id
     JOIN variants v ON v.id = n.variant_id
     WHERE d.run_id = $1 AND n.status IN ('failed', 'cancelled') ORDER BY v.position LIMIT 1`,
    [runId],
  );
  const needed = blocking.rows[0];
  if (needed) {
    const fate = needed.status === 'failed' ? 'failed' : 'was cancelled';
    throw new AppError('conflict', `This run needs "${needed.label}", which ${fate}. Retry that one first.`);
  }
  await tx.query(
    `UPDATE runs SET status = 'queued', failure_code = NULL, failure_message = NULL, cancel_requested_at = NULL,
            finished_at = NULL, host_id = NULL, held_at = NULL, paused_by_id = NULL, max_attempts = attempt + $2
     WHERE id = $1 AND status IN ('failed', 'cancelled')`,
    [runId, MAX_ATTEMPTS],
  );
  tx.runChanged(runId);
  await noteRetry(tx, runId, await requeueDependents(tx, runId), by);
  tx.nudge(null);
}

/**
 * Tries several runs again, those first that others need. @returns how many are queued again, and why others are not; runs that have
 * not ended badly, and those that came along with one they need, are nothing to speak of
 */
export async function retryRuns(
  tx: Tx,
  runIds: string[],
  by: string | null = null,
): Promise<{ changed: number; problems: string[] }> {
  const { rows } = await tx.query<{ id: string; label: string }>(
    `SELECT r.id, v.label || ', seed ' || r.seed AS label FROM runs r JOIN variants v ON v.id = r.variant_id
     WHERE r.id = ANY($1) AND r.status IN ('failed', 'cancelled') ORDER BY r.created_at, r.id`,
    [runIds],
  );
  const problems: string[] = [];
  for (const { id, label } of rows) {
    const status = (await tx.query<{ status: RunStatus }>('SELECT status FROM runs WHERE id = $1', [id])).rows[0]
      ?.status;
    if (status !== 'failed' && status !== 'cancelled') continue;
    try {
      await retryRun(tx, id, by);
    } catch (error) {
      // Expected: it needs a run that is not among these.
      if (!(error instanceof AppError)) throw error;
      problems.push(`${label}: ${error.message}`);
    }
  }
  return { changed: rows.length - problems.length, problems };
}

/**
 * Locks every run that this one, or one that waits for it, needs. Otherwise one of them could fail unseen beside this
 * transaction, which it does not see either: what is queued again here would wait for it for ever.
 */
async function lockNeeded(tx: Tx, runId: string): Promise<void> {
  await tx.query(
    `WITH RECURSIVE downstream AS (
       SELECT $1::text AS id
       UNION SELECT d.run_id FROM run_dependencies d JOIN downstream ON d.depends_on_id = downstream.id
     )
     SELECT 1 FROM runs r
     WHERE r.id IN (SELECT d.depends_on_id FROM run_dependencies d JOIN downstream ON downstream.id = d.run_id)
     ORDER BY r.id FOR NO KEY UPDATE`,
    [runId],
  );
}
