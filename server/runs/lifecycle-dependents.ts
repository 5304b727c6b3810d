/** What happens to runs that wait for another one when that one ends badly, and when it is tried again. */
import { noteDependentsFailed } from '../events/run-events.ts';
import type { Tx } from './transaction.ts';

/** Pages show what a queued run waits for: its dependency's change is its own. */
export async function announceDependents(tx: Tx, runId: string): Promise<void> {
  const { rows } = await tx.query<{ run_id: string }>('SELECT run_id FROM run_dependencies WHERE depends_on_id = $1', [
    runId,
  ]);
  for (const { run_id } of rows) tx.runChanged(run_id);
}

/**
 * queued -> failed (`dependency_failed`) for everything that waits, directly or not, for one of these runs.
 * @param runIds runs that are failed or cancelled now
 */
export async function failDependents(tx: Tx, runIds: string[]): Promise<void> {
  const { rows } = await tx.query<{ id: string; cause: string }>(
    `WITH RECURSIVE downstream AS (
       SELECT d.run_id, d.depends_on_id AS cause FROM run_dependencies d WHERE d.depends_on_id = ANY($1)
       UNION
       SELECT d.run_id, downstream.cause FROM run_dependencies d JOIN downstream ON d.depends_on_id = downstream.run_id
     ), reasons AS (
       SELECT DISTINCT ON (w.run_id) w.run_id, w.cause,
              'It needs "' || v.label || '" (seed ' || c.seed || '), which ' ||
              CASE c.status WHEN 'cancelled' THEN 'was cancelled' ELSE 'failed' END || '.' AS message
       FROM downstream w JOIN runs c ON c.id = w.cause JOIN variants v ON v.id = c.variant_id
       ORDER BY w.run_id, v.position
     )
     UPDATE runs r SET status = 'failed', failure_code = 'dependency_failed', failure_message = reasons.message,
            finished_at = now()
     FROM reasons WHERE r.id = reasons.run_id AND r.status = 'queued' RETURNING r.id, reasons.cause`,
    [runIds],
  );
  for (const { id } of rows) tx.runChanged(id);
  for (const cause of new Set(rows.map((row) => row.cause)))
    await noteDependentsFailed(
      tx,
      rows.filter((row) => row.cause === cause).map((row) => row.id),
      cause,
    );
}

/**
 * failed (`dependency_failed`) -> queued, level by level, for runs whose every dependency may succeed again.
 * @param runId a run that was just queued again
 * @returns how many
 */
export async function requeueDependents(tx: Tx, runId: string): Promise<number> {
  let count = 0;
  for (let level = [runId]; level.length > 0; ) {
    const { rows } = await tx.query<{ id: string }>(
      `UPDATE runs r SET status = 'queued', failure_code = NULL, failure_message = NULL, finished_at = NULL
       WHERE r.id IN (SELECT d.run_id FROM run_dependencies d WHERE d.depends_on_id = ANY($1))
         AND r.status = 'failed' AND r.failure_code = 'dependency_failed'
         AND NOT EXISTS (SELECT 1 FROM run_dependencies o JOIN runs n ON n.id = o.depends_on_id
                         WHERE o.run_id = r.id AND n.status IN ('failed', 'cancelled'))
       RETURNING r.id`,
      [level],
    );
    level = rows.map((row) => row.id);
    for (const id of level) tx.runChanged(id);
    count += level.length;
  }
  return count;
}
