/**
 * The status edges of a run that its attempt walks: claimed -> running -> ended or queued again.
 * Each edge is one compare-and-set on (id, attempt, status); null or false means that another edge was faster.
 * The run's row is the one lock: it is taken before anything else of the run, so edges of one run never deadlock.
 */
import type { StartedRecord } from '@mealtable/protocol/records';
import type { RunRole, RunStatus } from '@mealtable/protocol/statuses';
import { hasCompleteCheckpoint } from '../checkpoints/checkpoint-rows.ts';
import { noteRunEnd } from '../events/run-events.ts';
import { judgeHost } from '../hosts/rest.ts';
import { withoutNul } from '../without-nul.ts';
import { type AttemptEnding, judgeEnding, type Verdict } from './judge-ending.ts';
import { announceDependents, failDependents } from './lifecycle-dependents.ts';
import { noteRefusal } from './refusals.ts';
import type { Tx } from './transaction.ts';

/** claimed -> running. */
export async function startRun(tx: Tx, runId: string, attempt: number, started: StartedRecord): Promise<boolean> {
  const { rowCount } = await tx.query(
    `WITH moved AS (
       UPDATE runs SET status = 'running', started_at = COALESCE(started_at, now()), steps_per_epoch = $3,
              total_steps = $4, parameter_count = $5, steps_completed = GREATEST(steps_completed, $6)
       WHERE id = $1 AND attempt = $2 AND status = 'claimed' RETURNING id)
     UPDATE run_attempts a SET started_at = now(), backend = $7, device = $8 FROM moved
     WHERE a.run_id = moved.id AND a.attempt = $2`,
    [
      runId,
      attempt,
      started.stepsPerEpoch,
      started.totalSteps,
      started.parameterCount,
      started.stepsCompleted,
      withoutNul(started.backend),
      withoutNul(started.device),
    ],
  );
  if (rowCount === 0) return false;
  tx.runChanged(runId);
  await announceDependents(tx, runId);
  return true;
}

/**
 * claimed | running -> succeeded | failed | cancelled | queued, as `judgeEnding` says. Dependents of a run that will
 * not succeed fail with it.
 * @returns the new status; null when the attempt does not own the run any more
 */
export async function finishAttempt(
  tx: Tx,
  runId: string,
  attempt: number,
  ending: AttemptEnding,
): Promise<RunStatus | null> {
  const { rows } = await tx.query<{
    max_attempts: number;
    cancel_requested: boolean;
    pause_requested: boolean;
    wants_more: boolean | null;
    host_id: string | null;
  }>(
    `SELECT max_attempts, cancel_requested_at IS NOT NULL AS cancel_requested, host_id,
            pause_requested_at IS NOT NULL AS pause_requested,
            total_steps < steps_per_epoch * (config->>'epochs')::int
              -- An attempt that had nothing left to do does not get another one for it.
              AND (SELECT a.start_step FROM run_attempts a WHERE a.run_id = id AND a.attempt = $2) < total_steps AS wants_more
     FROM runs
     WHERE id = $1 AND attempt = $2 AND status IN ('claimed', 'running') FOR NO KEY UPDATE`,
    [runId, attempt],
  );
  const run = rows[0];
  if (!run) return null;
  const verdict = judgeEnding(
    {
      attempt,
      maxAttempts: run.max_attempts,
      cancelRequested: run.cancel_requested,
      pauseRequested: run.pause_requested,
      wantsMore: run.wants_more ?? false,
    },
    await checkEnding(tx, runId, ending),
  );
  await closeAttempt(tx, runId, attempt, ending, verdict);
  if (ending.outcome === 'refused' && run.host_id !== null)
    await noteRefusal(tx, runId, run.host_id, ending.message ?? 'It gave no reason.');
  await tx.query(
    `UPDATE runs SET status = $3::run_status, failure_code = $4::failure_code, failure_message = $5, max_attempts = $6,
            lease_expires_at = NULL, host_id = CASE WHEN $3 = 'queued' THEN NULL ELSE host_id END,
            finished_at = CASE WHEN $3 = 'queued' THEN NULL ELSE now() END, pause_requested_at = NULL,
            held_at = CASE WHEN $7 THEN now() END, paused_by_id = CASE WHEN $7 THEN paused_by_id END
     WHERE id = $1 AND attempt = $2`,
    [
      runId,
      attempt,
      verdict.status,
      verdict.failureCode,
      withoutNul(verdict.failureMessage),
      verdict.maxAttempts,
      verdict.paused,
    ],
  );
  if (run.host_id !== null) await judgeHost(tx, run.host_id, ending.outcome, verdict.attemptFailure);
  tx.runChanged(runId);
  if (verdict.status !== 'queued') await noteRunEnd(tx, runId, verdict);
  if (verdict.status === 'failed' || verdict.status === 'cancelled') await failDependents(tx, [runId]);
  await announceDependents(tx, runId);
  // A free slot, a queued run or a released dependent: in each case agents may find work.
  tx.nudge(null);
  return verdict.status;
}

/**
 * The agent says `ended` after its uploads, so success without a stored checkpoint is a fault, and nothing to offer. What an
 * evaluation has to offer is its number.
 */
async function checkEnding(tx: Tx, runId: string, ending: AttemptEnding): Promise<AttemptEnding> {
  if (ending.outcome !== 'succeeded' || (await hasCompleteCheckpoint(tx, runId))) return ending;
  const { rows } = await tx.query<{ role: RunRole }>('SELECT role FROM runs WHERE id = $1', [runId]);
  if (rows[0]?.role === 'evaluation') return ending;
  const message = 'The training ended in good order, but none of its checkpoints arrived at the hub. Retry the run.';
  return { ...ending, outcome: 'failed', failureCode: 'trainer_error', message };
}

async function closeAttempt(tx: Tx, runId: string, attempt: number, ending: AttemptEnding, verdict: Verdict) {
  await tx.query(
    `UPDATE run_attempts SET ended_at = now(), outcome = $3::attempt_outcome, failure_code = $4::failure_code,
            message = $5, exit_code = $6, signal = $7
     WHERE run_id = $1 AND attempt = $2`,
    [
      runId,
      attempt,
      ending.outcome,
      verdict.attemptFailure,
      withoutNul(ending.message),
      ending.exitCode,
      withoutNul(ending.signal),
    ],
  );
}
