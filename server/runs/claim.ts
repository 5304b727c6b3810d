/** queued -> claimed: the one statement by which a host takes runs. Two hosts asking at once never get the same one. */
import { LEASE_MS } from '@mealtable/protocol/tunables';
import { IS_COMPLETE, IS_RESUMABLE } from '../checkpoints/checkpoint-rows.ts';
import type { UsableDatasets } from '../hosts/datasets.ts';
import { IS_NOT_REFUSED } from './refusals.ts';
import type { Queryable } from './summary.ts';

export interface ClaimedRun {
  runId: string;
  attempt: number;
  /** Step of the checkpoint to go on from; 0 without one. */
  startStep: number;
  resumeCheckpointId: string | null;
}

/**
 * SKIP LOCKED makes a second asker pass over rows that are being claimed, and a row that was claimed in the meantime is
 * checked again by Postgres and left out. The resumed checkpoint is chosen in the same snapshot, so the step that the
 * attempt is filed under and the files that it gets belong together.
 * The order of claims is the order of creation, which for one study is the order of its table: teachers first.
 */
const CLAIM = `
  WITH free AS (
    SELECT r.id FROM runs r
    WHERE r.status = 'queued' AND r.held_at IS NULL
      AND ${IS_NOT_REFUSED} AND ($6::text[] IS NULL OR r.id = ANY($6))
      AND r.dataset = ANY(CASE WHEN r.role = 'evaluation' THEN $2::text[] ELSE $5::text[] END)
      AND NOT EXISTS (SELECT 1 FROM run_dependencies d JOIN runs n ON n.id = d.depends_on_id
                      WHERE d.run_id = r.id AND n.status <> 'succeeded')
    ORDER BY r.priority DESC, r.created_at, r.id
    LIMIT $3
    FOR NO KEY UPDATE OF r SKIP LOCKED
  ), latest AS (
    SELECT DISTINCT ON (c.run_id) c.run_id, c.id, c.steps_completed
    FROM checkpoints c JOIN free ON free.id = c.run_id
    WHERE ${IS_COMPLETE} AND ${IS_RESUMABLE}
    ORDER BY c.run_id, c.steps_completed DESC, c.created_at DESC, c.id DESC
  ), claimed AS (
    UPDATE runs r SET status = 'claimed', attempt = r.attempt + 1, host_id = $1,
           lease_expires_at = now() + $4 * interval '1 millisecond'
    FROM free WHERE r.id = free.id RETURNING r.id, r.attempt, r.priority, r.created_at
  ), begun AS (
    INSERT INTO run_attempts (run_id, attempt, host_id, start_step)
    SELECT claimed.id, claimed.attempt, $1, COALESCE(latest.steps_completed, 0)
    FROM claimed LEFT JOIN latest ON latest.run_id = claimed.id
  )
  SELECT claimed.id AS run_id, claimed.attempt, COALESCE(latest.steps_completed, 0) AS start_step,
         latest.id AS resume_checkpoint_id
  FROM claimed LEFT JOIN latest ON latest.run_id = claimed.id
  ORDER BY claimed.priority DESC, claimed.created_at, claimed.id`;

/**
 * @param datasets of this host: a run that trains needs a trainable one @param limit runs at most
 * @param understood the runs that come into question at all; null for every one
 */
export async function claimQueuedRuns(
  db: Queryable,
  hostId: string,
  { classCounts, trainable }: UsableDatasets,
  limit: number,
  understood: readonly string[] | null = null,
): Promise<ClaimedRun[]> {
  const { rows } = await db.query<{
    run_id: string;
    attempt: number;
    start_step: number;
    resume_checkpoint_id: string | null;
  }>(CLAIM, [hostId, [...classCounts.keys()], limit, LEASE_MS, trainable, understood]);
  return rows.map((row) => ({
    runId: row.run_id,
    attempt: row.attempt,
    startStep: row.start_step,
    resumeCheckpointId: row.resume_checkpoint_id,
  }));
}
