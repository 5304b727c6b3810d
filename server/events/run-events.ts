/** Events of runs and of their studies. */
import type { FailureCode, RunStatus } from '@mealtable/protocol/statuses';
import type { Tx } from '../runs/transaction.ts';
import { noteEvent } from './note-event.ts';

interface RunNames {
  studyId: string;
  label: string;
  seed: number;
  bestTop1: number | null;
}

async function loadNames(tx: Tx, runId: string): Promise<RunNames> {
  const { rows } = await tx.query<{ study_id: string; label: string; seed: number; best_top1: number | null }>(
    `SELECT r.study_id, v.label, r.seed, r.best_top1 FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.id = $1`,
    [runId],
  );
  const { study_id: studyId, label, seed, best_top1: bestTop1 } = rows[0]!;
  return { studyId, label, seed, bestTop1 };
}

export interface RunEnd {
  status: RunStatus;
  /** Null unless it failed. */
  failureCode: FailureCode | null;
  failureMessage: string | null;
}

/** A run has just ended for good in this transaction. */
export async function noteRunEnd(
  tx: Tx,
  runId: string,
  { status, failureCode: code, failureMessage: message }: RunEnd,
): Promise<void> {
  const { studyId, label, seed, bestTop1 } = await loadNames(tx, runId);
  const run = { studyId, runId, label, seed };
  tx.studyMayHaveFinished(studyId);
  if (code !== null) await noteEvent(tx, { kind: 'run-failed', ...run, code, message });
  else if (status === 'cancelled') await noteEvent(tx, { kind: 'runs-cancelled', ...run, runs: 1 });
  else await noteEvent(tx, { kind: 'run-succeeded', ...run, top1: bestTop1 });
}

/** What somebody did to runs, in this transaction: one event for each study. */
type Act =
  | { kind: 'runs-cancelled' | 'cancel-requested' | 'runs-paused' | 'runs-resumed' }
  | { kind: 'epochs-extended'; epochs: number };

/** @param by the member's name; null where it is not known */
export async function noteAct(tx: Tx, act: Act, runIds: readonly string[], by: string | null): Promise<void> {
  if (runIds.length === 0) return;
  const { rows } = await tx.query<{ study_id: string; runs: number; run_id: string; label: string; seed: number }>(
    `SELECT DISTINCT ON (r.study_id) r.study_id, r.id AS run_id, v.label, r.seed,
            count(*) OVER (PARTITION BY r.study_id)::int AS runs
     FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.id = ANY($1)
     ORDER BY r.study_id, v.position, r.seed`,
    [runIds],
  );
  for (const { study_id: studyId, run_id, label, seed, runs } of rows)
    await noteEvent(tx, { ...act, studyId, runId: runs === 1 ? run_id : null, runs, label, seed, by });
}

/** Waiting runs were cancelled in this transaction. */
export async function noteCancelled(tx: Tx, runIds: readonly string[], by: string | null): Promise<void> {
  const { rows } = await tx.query<{ study_id: string }>('SELECT DISTINCT study_id FROM runs WHERE id = ANY($1)', [
    runIds,
  ]);
  for (const { study_id } of rows) tx.studyMayHaveFinished(study_id);
  await noteAct(tx, { kind: 'runs-cancelled' }, runIds, by);
}

/**
 * Waiting runs failed in this transaction with one that they need: one event for each study.
 * @param causeId a run that failed or was cancelled, and that all of them need
 */
export async function noteDependentsFailed(tx: Tx, runIds: readonly string[], causeId: string): Promise<void> {
  const { rows } = await tx.query<{
    study_id: string;
    runs: number;
    label: string;
    seed: number;
    fate: 'failed' | 'cancelled';
  }>(
    `SELECT r.study_id, count(*)::int AS runs, v.label, c.seed, c.status AS fate
     FROM runs r, runs c JOIN variants v ON v.id = c.variant_id
     WHERE r.id = ANY($1) AND c.id = $2 GROUP BY r.study_id, v.label, c.seed, c.status ORDER BY r.study_id`,
    [runIds, causeId],
  );
  for (const { study_id: studyId, ...rest } of rows) {
    tx.studyMayHaveFinished(studyId);
    await noteEvent(tx, { kind: 'dependents-failed', studyId, runId: causeId, ...rest });
  }
}

/** @param others how many runs are queued again with it @param by the member's name */
export async function noteRetry(tx: Tx, runId: string, others: number, by: string | null): Promise<void> {
  const { studyId, label, seed } = await loadNames(tx, runId);
  await noteEvent(tx, { kind: 'run-retried', studyId, runId, label, seed, others, by });
}

/**
 * Notes for each of these studies whether its last run has ended. Call it as the last thing before the commit, with every
 * study in which a run ended: of transactions that end the last runs of a study at once, each waits here until the one
 * before it is committed, so exactly one of them sees every run ended. Nothing else is locked after this, in no other order.
 */
export async function noteFinishedStudies(tx: Tx, studyIds: Iterable<string>): Promise<void> {
  for (const studyId of [...studyIds].sort()) {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, ${FINISH_LOCK_SEED}))`, [studyId]);
    const { rows } = await tx.query<{
      succeeded: number;
      failed: number;
      cancelled: number;
      best_top1: number | null;
      best_label: string | null;
    }>(FINISHED, [studyId]);
    const [counts] = rows;
    if (!counts) continue;
    const { succeeded, failed, cancelled, best_top1: bestTop1, best_label: bestLabel } = counts;
    await noteEvent(tx, { kind: 'study-finished', studyId, succeeded, failed, cancelled, bestTop1, bestLabel });
  }
}

/** Any number: it keeps these locks apart from others that are named by a hash. */
const FINISH_LOCK_SEED = 5_401_227;

/** Evaluations stand in one study that is never finished. */
const FINISHED = `
  SELECT count(*) FILTER (WHERE r.status = 'succeeded')::int AS succeeded,
         count(*) FILTER (WHERE r.status = 'failed')::int AS failed,
         count(*) FILTER (WHERE r.status = 'cancelled')::int AS cancelled,
         best.top1 AS best_top1, best.label AS best_label
  FROM studies s JOIN runs r ON r.study_id = s.id
  LEFT JOIN LATERAL (
    SELECT b.best_top1 AS top1, v.label FROM runs b JOIN variants v ON v.id = b.variant_id
    WHERE b.study_id = s.id AND b.status = 'succeeded' AND b.best_top1 IS NOT NULL
    ORDER BY b.role = 'student' DESC, b.best_top1 DESC, v.position, b.seed LIMIT 1) best ON true
  WHERE s.id = $1 AND s.kind = 'ablation'
  GROUP BY s.id, best.top1, best.label
  HAVING bool_and(r.status IN ('succeeded', 'failed', 'cancelled'))`;
