/** A study's retention rule: what would go under another one, and the change itself, which removes just what was shown. */
import { createHash } from 'node:crypto';
import { AppError } from '@mealtable/protocol/errors';
import {
  MAX_PREVIEW_CHECKPOINTS,
  type RetentionChoice,
  type RetentionPreview,
  type RetentionRule,
} from '@mealtable/protocol/retention';
import type { RunStatus } from '@mealtable/protocol/statuses';
import type { Queryable } from '../runs/summary.ts';
import { type CoreHub, transact } from '../runs/transaction.ts';
import { loadCheckpoints, type StoredCheckpoint } from './checkpoint-rows.ts';
import { chooseSuperseded, loadEvaluated, pruneCheckpoints, ruleFor } from './retention.ts';

interface RunRow {
  id: string;
  status: RunStatus;
  seed: number;
  label: string;
}

const withDefaults = (choice: RetentionChoice, defaults: RetentionRule): RetentionRule => ({
  best: choice.keptBest ?? defaults.best,
  latest: choice.keptLatest ?? defaults.latest,
});

/** @throws {AppError} not_found */
export async function previewRetention(
  db: Queryable,
  studyId: string,
  choice: RetentionChoice,
  defaults: RetentionRule,
): Promise<RetentionPreview> {
  const current = await loadChoice(db, studyId);
  const { rows: runs } = await db.query<RunRow>(
    `SELECT r.id, r.status, r.seed, v.label FROM runs r JOIN variants v ON v.id = r.variant_id
     WHERE r.study_id = $1 ORDER BY v.position, r.seed`,
    [studyId],
  );
  const checkpoints = await loadCheckpoints(
    db,
    runs.map((run) => run.id),
  );
  const gone = await chooseGone(db, runs, checkpoints, withDefaults(choice, defaults));
  const ids = gone.map(({ checkpoint }) => checkpoint.id);
  return {
    current,
    defaults,
    gone: gone.slice(0, MAX_PREVIEW_CHECKPOINTS).map(({ run, checkpoint }) => ({
      checkpointId: checkpoint.id,
      runId: run.id,
      variantLabel: run.label,
      seed: run.seed,
      epoch: checkpoint.epoch,
      top1: checkpoint.top1,
      files: checkpoint.files.length,
      sizeBytes: checkpoint.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    })),
    goneCount: gone.length,
    goneFiles: gone.reduce((sum, { checkpoint }) => sum + checkpoint.files.length, 0),
    ...(await weigh(db, ids)),
    keptCount: checkpoints.length - gone.length,
    fingerprint: fingerprintOf(ids),
  };
}

/**
 * Sets the rule and removes what it does not keep, if the study still has the rule that was looked at and just what was shown
 * would go.
 * @throws {AppError} not_found, or conflict when either has changed meanwhile; nothing is changed then
 */
export async function applyRetention(
  hub: CoreHub,
  studyId: string,
  choice: RetentionChoice,
  seen: { current: RetentionChoice; fingerprint: string },
  defaults: RetentionRule,
): Promise<{ removed: number }> {
  return transact(hub, async (tx) => {
    const current = await loadChoice(tx, studyId, 'FOR NO KEY UPDATE');
    if (current.keptBest !== seen.current.keptBest || current.keptLatest !== seen.current.keptLatest)
      throw new AppError('conflict', 'Somebody has changed what this study keeps. Look at it again.');
    const { rows } = await tx.query<{ id: string }>(
      'SELECT id FROM runs WHERE study_id = $1 ORDER BY id FOR NO KEY UPDATE',
      [studyId],
    );
    const preview = await previewRetention(tx, studyId, choice, defaults);
    if (preview.fingerprint !== seen.fingerprint)
      throw new AppError(
        'conflict',
        'Checkpoints have come or gone meanwhile: other ones would go now. Look at it again.',
      );
    await tx.query('UPDATE studies SET kept_best = $2, kept_latest = $3 WHERE id = $1', [
      studyId,
      choice.keptBest,
      choice.keptLatest,
    ]);
    let removed = 0;
    for (const { id } of rows) {
      const count = await pruneCheckpoints(tx, id, defaults);
      if (count > 0) tx.runChanged(id);
      removed += count;
    }
    tx.emit('study:changed', { studyId });
    return { removed };
  });
}

/**
 * Prunes runs that have succeeded in studies which keep no latest of those: a run's end brings no file, which is what prunes
 * otherwise.
 * @returns how many checkpoints went
 */
export async function pruneEndedRuns(hub: CoreHub, defaults: RetentionRule): Promise<number> {
  const { rows } = await hub.pool.query<{ id: string }>(
    `SELECT r.id FROM runs r JOIN studies s ON s.id = r.study_id
     WHERE r.status = 'succeeded' AND s.kept_latest = 0
       AND (SELECT count(*) FROM checkpoints c WHERE c.run_id = r.id) > coalesce(s.kept_best, $1)`,
    [defaults.best],
  );
  let removed = 0;
  for (const { id } of rows)
    removed += await transact(hub, async (tx) => {
      await tx.query('SELECT 1 FROM runs WHERE id = $1 FOR NO KEY UPDATE', [id]);
      const count = await pruneCheckpoints(tx, id, defaults);
      if (count > 0) tx.runChanged(id);
      return count;
    });
  return removed;
}

async function loadChoice(db: Queryable, studyId: string, lock = ''): Promise<RetentionChoice> {
  const { rows } = await db.query<{ kept_best: number | null; kept_latest: number | null }>(
    `SELECT kept_best, kept_latest FROM studies WHERE id = $1 AND kind = 'ablation' ${lock}`,
    [studyId],
  );
  const row = rows[0];
  if (!row) throw new AppError('not_found', `There is no study ${studyId}.`);
  return { keptBest: row.kept_best, keptLatest: row.kept_latest };
}

async function chooseGone(
  db: Queryable,
  runs: readonly RunRow[],
  checkpoints: readonly StoredCheckpoint[],
  rule: RetentionRule,
): Promise<{ run: RunRow; checkpoint: StoredCheckpoint }[]> {
  const evaluated = await loadEvaluated(
    db,
    checkpoints.map((c) => c.id),
  );
  const byRun = new Map<string, StoredCheckpoint[]>(runs.map((run) => [run.id, []]));
  for (const checkpoint of checkpoints) byRun.get(checkpoint.runId)?.push(checkpoint);
  return runs.flatMap((run) => {
    const own = byRun.get(run.id) ?? [];
    const superseded = new Set(chooseSuperseded(own, ruleFor(rule, run.status, own), evaluated));
    return own.filter((c) => superseded.has(c.id)).map((checkpoint) => ({ run, checkpoint }));
  });
}

/** Bytes on the hub that go with these checkpoints and what was made of them, and bytes whose content something else has, too. */
async function weigh(
  db: Queryable,
  checkpointIds: readonly string[],
): Promise<{ freedBytes: number; sharedBytes: number }> {
  const { rows } = await db.query<{ freed: string; shared: string }>(
    `WITH gone AS (
       SELECT DISTINCT f.sha256 FROM checkpoint_files f WHERE f.checkpoint_id = ANY($1)
     ), weighed AS (
       SELECT g.sha256, b.size_bytes,
              EXISTS (SELECT 1 FROM checkpoint_files o
                      WHERE o.sha256 = g.sha256 AND NOT o.checkpoint_id = ANY($1)) AS is_shared
       FROM gone g JOIN blobs b ON b.sha256 = g.sha256
     ), made AS (
       SELECT DISTINCT x.sha256, x.size_bytes FROM model_exports x JOIN weighed w ON w.sha256 = x.source_sha256
       WHERE NOT w.is_shared
     )
     SELECT coalesce((SELECT sum(size_bytes) FROM weighed WHERE NOT is_shared), 0)
              + coalesce((SELECT sum(size_bytes) FROM made), 0) AS freed,
            coalesce((SELECT sum(size_bytes) FROM weighed WHERE is_shared), 0) AS shared`,
    [checkpointIds],
  );
  return { freedBytes: Number(rows[0]?.freed ?? 0), sharedBytes: Number(rows[0]?.shared ?? 0) };
}

const fingerprintOf = (ids: readonly string[]) => createHash('sha256').update(ids.toSorted().join('\n')).digest('hex');
