/** queued -> claimed: the one statement by which a host takes runs. Two hosts asking at once never get the same one. */
import { LEASE_MS } from '@mealtable/protocol/tunables';
import { IS_COMPLETE, IS_RESUMABLE } from '../checkpoints/checkpoint-rows.ts';
import { fittingRuns, IS_PAUSED, PLACEMENT_HOSTS, queueOrder, READY_RUNS, STUDY_ROOM } from './placement.ts';
import type { Queryable } from './summary.ts';

export interface ClaimedRun {
  runId: string;
  attempt: number;
  /** Step of the checkpoint to go on from; 0 without one. */
  startStep: number;
  resumeCheckpointId: string | null;
}

/** Claims that a study's limit concerns come one after the other: two at once would both see room for the last run. */
const LOCK_LIMITED_STUDIES = `
  SELECT 1 FROM studies s WHERE s.max_concurrent IS NOT NULL
    AND EXISTS (SELECT 1 FROM runs r WHERE r.study_id = s.id AND r.status = 'queued')
  ORDER BY s.id FOR NO KEY UPDATE`;

/**
 * SKIP LOCKED makes a second asker pass over rows that are being claimed, and a row that was claimed or paused in the meantime is
 * checked again by Postgres and left out. The resumed checkpoint is chosen in the same snapshot, so the step that the
 * attempt is filed under and the files that it gets belong together. The fitting runs are an array because a join would be
 * planned by the statistics of before the study was created, and find them anew for each queued run.
 */
const CLAIM = `
  WITH h AS MATERIALIZED (${PLACEMENT_HOSTS} WHERE h.id = $1), ready AS (${READY_RUNS}), room AS (${STUDY_ROOM}),
  fitting AS (
    SELECT f.id FROM h CROSS JOIN LATERAL (${fittingRuns(' AND ($4::text[] IS NULL OR r.id = ANY($4))')}) f
  ), free AS (
    SELECT r.id FROM runs r WHERE r.id = ANY(ARRAY(SELECT id FROM fitting)) AND r.status = 'queued' AND NOT (${IS_PAUSED})
    ORDER BY ${queueOrder('r')}
    LIMIT $2
    FOR NO KEY UPDATE OF r SKIP LOCKED
  ), latest AS (
    SELECT DISTINCT ON (c.run_id) c.run_id, c.id, c.steps_completed
    FROM checkpoints c JOIN free ON free.id = c.run_id
    WHERE ${IS_COMPLETE} AND ${IS_RESUMABLE}
    ORDER BY c.run_id, c.steps_completed DESC, c.created_at DESC, c.id DESC
  ), claimed AS (
    UPDATE runs r SET status = 'claimed', attempt = r.attempt + 1, host_id = $1,
           lease_expires_at = now() + $3 * interval '1 millisecond'
    FROM free WHERE r.id = free.id RETURNING r.id, r.attempt, r.priority, r.created_at
  ), begun AS (
    INSERT INTO run_attempts (run_id, attempt, host_id, start_step)
    SELECT claimed.id, claimed.attempt, $1, COALESCE(latest.steps_completed, 0)
    FROM claimed LEFT JOIN latest ON latest.run_id = claimed.id
  )
  SELECT claimed.id AS run_id, claimed.attempt, COALESCE(latest.steps_completed, 0) AS start_step,
         latest.id AS resume_checkpoint_id
  FROM claimed LEFT JOIN latest ON latest.run_id = claimed.id
  ORDER BY ${queueOrder('claimed')}`;

/**
 * Call it in a transaction: a study's limit holds until that ends.
 * @param limit runs at most @param understood the runs that come into question at all; null for every one
 */
export async function claimQueuedRuns(
  db: Queryable,
  hostId: string,
  limit: number,
  understood: readonly string[] | null = null,
): Promise<ClaimedRun[]> {
  await db.query(LOCK_LIMITED_STUDIES);
  const { rows } = await db.query<{
    run_id: string;
    attempt: number;
    start_step: number;
    resume_checkpoint_id: string | null;
  }>(CLAIM, [hostId, limit, LEASE_MS, understood]);
  return rows.map((row) => ({
    runId: row.run_id,
    attempt: row.attempt,
    startStep: row.start_step,
    resumeCheckpointId: row.resume_checkpoint_id,
  }));
}
