/**
 * Rows of batch jobs, each known by our token. A row is written before its job is submitted, so that a crash in between leaves
 * something to look for. Open is a job that has not ended; each edge is one statement that asks for an open row.
 */
import type { LaunchExit, LaunchStatus, LaunchToken } from '../../launch/launcher.ts';
import type { Queryable } from '../../runs/summary.ts';
import { type CoreHub, type Tx, transact } from '../../runs/transaction.ts';
import { withoutNul } from '../../without-nul.ts';

export type JobState = 'submitting' | 'waiting' | 'running' | 'unknown' | 'ended';

export interface OpenJob {
  token: LaunchToken;
  runId: string;
  jobId: string | null;
  state: JobState;
  reason: string | null;
  node: string | null;
  restarts: number;
  hasAttached: boolean;
  /** The job's own host has the run, or it can still get it: it is queued, not paused, and asks for this launcher. */
  isWanted: boolean;
  runIsQueued: boolean;
  /** How long the job has not been wanted, in milliseconds; 0 for one that is. */
  unwantedMs: number;
  /** How long its state has been the same. */
  sameMs: number;
}

/** SQL: the run `r` asks for the launcher `l` by its name. */
export const IS_BOUND = 'l.name = ANY(r.required_labels)';

export async function loadOpenJobs(db: Queryable, launcherId: string): Promise<OpenJob[]> {
  const { rows } = await db.query<{
    token: LaunchToken;
    run_id: string;
    job_id: string | null;
    state: JobState;
    reason: string | null;
    node: string | null;
    restarts: number;
    has_attached: boolean;
    is_wanted: boolean;
    is_queued: boolean;
    unwanted_ms: number;
    same_ms: number;
  }>(
    `SELECT j.token, j.run_id, j.job_id, j.state, j.reason, j.node, j.restarts, j.host_id IS NOT NULL AS has_attached,
            (r.status IN ('claimed', 'running') AND r.host_id = j.host_id) IS TRUE OR (r.status = 'queued' AND r.held_at IS NULL AND ${IS_BOUND}) AS is_wanted,
            r.status = 'queued' AS is_queued,
            (extract(epoch FROM now() - COALESCE(r.finished_at, r.held_at, now())) * 1000)::float AS unwanted_ms,
            (extract(epoch FROM now() - j.updated_at) * 1000)::float AS same_ms
     FROM slurm_jobs j JOIN runs r ON r.id = j.run_id JOIN launchers l ON l.id = j.launcher_id
     WHERE j.launcher_id = $1 AND j.ended_at IS NULL ORDER BY j.submitted_at`,
    [launcherId],
  );
  return rows.map((row) => ({
    token: row.token,
    runId: row.run_id,
    jobId: row.job_id,
    state: row.state,
    reason: row.reason,
    node: row.node,
    restarts: row.restarts,
    hasAttached: row.has_attached,
    isWanted: row.is_wanted,
    runIsQueued: row.is_queued,
    unwantedMs: row.is_wanted ? 0 : row.unwanted_ms,
    sameMs: row.same_ms,
  }));
}

/** Number of the run's next submission, from 1. */
export async function nextSubmission(db: Queryable, runId: string): Promise<number> {
  const { rows } = await db.query<{ last: number }>(
    `SELECT COALESCE(max(substring(token from '\\.(\\d+)$')::int), 0) AS last FROM slurm_jobs WHERE run_id = $1`,
    [runId],
  );
  return (rows[0]?.last ?? 0) + 1;
}

/** @returns false when the run has left the queue meanwhile or has an open job */
export async function beginJob(
  hub: CoreHub,
  job: { token: LaunchToken; launcherId: string; runId: string; script: string },
): Promise<boolean> {
  return transact(hub, async (tx) => {
    await tx.query('SELECT 1 FROM runs WHERE id = $1 FOR NO KEY UPDATE', [job.runId]);
    const { rowCount } = await tx.query(
      `INSERT INTO slurm_jobs (token, launcher_id, run_id, state, script)
       SELECT $1, $2, r.id, 'submitting', $4 FROM runs r
       WHERE r.id = $3 AND r.status = 'queued' AND r.held_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM slurm_jobs j WHERE j.run_id = r.id AND j.ended_at IS NULL)`,
      [job.token, job.launcherId, job.runId, job.script],
    );
    if (rowCount === 1) announce(tx, job.launcherId, job.runId);
    return rowCount === 1;
  });
}

/** The job was never submitted, and that is sure. */
export async function forgetJob(hub: CoreHub, launcherId: string, token: LaunchToken): Promise<void> {
  await transact(hub, async (tx) => {
    const { rows } = await tx.query<{ run_id: string }>(
      `DELETE FROM slurm_jobs WHERE token = $1 AND state = 'submitting' RETURNING run_id`,
      [token],
    );
    for (const { run_id } of rows) announce(tx, launcherId, run_id);
  });
}

/** What Slurm says of a job that has not ended. A row that was closed too early is opened again. */
export async function noteJob(hub: CoreHub, launcherId: string, status: Omit<LaunchStatus, 'exit'>): Promise<boolean> {
  return transact(hub, async (tx) => {
    const { rows } = await tx.query<{ run_id: string }>(
      `UPDATE slurm_jobs SET state = $3, job_id = COALESCE(NULLIF($4, ''), job_id), reason = $5, node = COALESCE($6, node),
              restarts = GREATEST(restarts, $7), updated_at = now(), ended_at = NULL, end_cause = NULL, exit_code = NULL,
              signal = NULL
       WHERE token = $1 AND launcher_id = $2
         AND ($3 <> 'unknown' OR ended_at IS NULL)
         AND (state, COALESCE(job_id, ''), COALESCE(reason, ''), COALESCE(node, ''))
             IS DISTINCT FROM ($3, COALESCE(NULLIF($4, ''), job_id, ''), COALESCE($5, ''), COALESCE($6, node, ''))
       RETURNING run_id`,
      [status.token, launcherId, status.state, status.handle, withoutNul(status.reason), status.node, status.restarts],
    );
    for (const { run_id } of rows) announce(tx, launcherId, run_id);
    return rows.length > 0;
  });
}

/** @param cause EndCause, or `refused` where Slurm did not take it @returns false when it had ended already */
export async function closeJob(
  hub: CoreHub,
  launcherId: string,
  token: LaunchToken,
  end: { exit: Pick<LaunchExit, 'code' | 'signal'> | null; cause: string; reason: string | null; node: string | null },
): Promise<boolean> {
  return transact(hub, async (tx) => {
    const { rows } = await tx.query<{ run_id: string }>(
      `UPDATE slurm_jobs SET state = 'ended', ended_at = now(), updated_at = now(), end_cause = $3, exit_code = $4,
              signal = $5, reason = $6, node = COALESCE($7, node)
       WHERE token = $1 AND launcher_id = $2 AND ended_at IS NULL RETURNING run_id`,
      [
        token,
        launcherId,
        end.cause,
        end.exit?.code ?? null,
        end.exit?.signal === null || end.exit === null ? null : String(end.exit.signal),
        withoutNul(end.reason),
        end.node,
      ],
    );
    for (const { run_id } of rows) announce(tx, launcherId, run_id);
    return rows.length > 0;
  });
}

function announce(tx: Tx, launcherId: string, runId: string): void {
  tx.emit('launcher:changed', { launcherId });
  tx.runChanged(runId);
}

/** SQL: the job `j` ended, nobody cancelled it, and its run, which nobody took back, got nothing by it, nor anything elsewhere meanwhile. */
const IS_FRUITLESS = `
  j.end_cause <> 'cancelled' AND NOT EXISTS (
    SELECT 1 FROM run_attempts a WHERE a.run_id = j.run_id AND a.claimed_at >= j.submitted_at AND a.outcome IS DISTINCT FROM 'refused')
  AND NOT EXISTS (SELECT 1 FROM runs w WHERE w.id = j.run_id AND (w.status = 'cancelled' OR w.held_at IS NOT NULL))`;

export async function isFruitless(db: Queryable, token: LaunchToken): Promise<boolean> {
  const { rows } = await db.query(`SELECT 1 FROM slurm_jobs j WHERE j.token = $1 AND ${IS_FRUITLESS}`, [token]);
  return rows.length > 0;
}

/** How many of the launcher's latest jobs in a row came to nothing since its last rest, at most `atMost`. */
export async function countFruitless(db: Queryable, launcherId: string, atMost: number): Promise<number> {
  const { rows } = await db.query<{ is_fruitless: boolean }>(
    `SELECT ${IS_FRUITLESS} AS is_fruitless FROM slurm_jobs j JOIN launchers l ON l.id = j.launcher_id
     WHERE j.launcher_id = $1 AND j.ended_at > COALESCE(l.resting_until, '-infinity') AND j.end_cause <> 'cancelled'
     ORDER BY j.ended_at DESC LIMIT $2`,
    [launcherId, atMost],
  );
  const fruitful = rows.findIndex((row) => !row.is_fruitless);
  return fruitful < 0 ? rows.length : fruitful;
}
