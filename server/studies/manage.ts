/** What can be done to a whole study besides creating and extending it. */
import { AppError } from '@mealtable/protocol/errors';
import { StudyDesign } from '@mealtable/protocol/study-design';
import { removeMetrics } from '../metrics/rows.ts';
import { requestCancel } from '../runs/lifecycle-user.ts';
import type { Queryable } from '../runs/summary.ts';
import { type CoreHub, type Tx, transact } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';

const unknownStudy = (studyId: string) => new AppError('not_found', `There is no study ${studyId}.`);

/** @param notes left out: they stay as they are */
export async function renameStudy(hub: CoreHub, studyId: string, name: string, notes?: string): Promise<void> {
  await transact(hub, async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE studies SET name = $2, notes = COALESCE($3, notes) WHERE id = $1 AND kind = 'ablation'`,
      [studyId, withoutNul(name), withoutNul(notes ?? null)],
    );
    if (rowCount === 0) throw unknownStudy(studyId);
    tx.emit('study:changed', { studyId });
  });
}

/** Any variant of the study can be the row that others are compared with. */
export async function setReference(hub: CoreHub, studyId: string, variantId: string): Promise<void> {
  await transact(hub, async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE studies SET reference_variant_id = $2
       WHERE id = $1 AND EXISTS (SELECT 1 FROM variants WHERE id = $2 AND study_id = $1)`,
      [studyId, variantId],
    );
    if (rowCount === 0) throw new AppError('not_found', `The study ${studyId} has no variant ${variantId}.`);
    tx.emit('study:changed', { studyId });
  });
}

/** @param maxConcurrent runs of the study at once, at most; null for as many as there are slots. What runs goes on. */
export async function setMaxConcurrent(hub: CoreHub, studyId: string, maxConcurrent: number | null): Promise<void> {
  await transact(hub, async (tx) => {
    const { rowCount } = await tx.query(`UPDATE studies SET max_concurrent = $2 WHERE id = $1 AND kind = 'ablation'`, [
      studyId,
      maxConcurrent,
    ]);
    if (rowCount === 0) throw unknownStudy(studyId);
    tx.emit('study:changed', { studyId });
    tx.nudge(null);
  });
}

/** Cancels all that has not ended. @param by name of the member who asks @returns how many runs were cancelled or are asked to stop */
export async function cancelStudy(
  hub: CoreHub,
  studyId: string,
  by: string | null = null,
): Promise<{ cancelled: number }> {
  return transact(hub, async (tx) => {
    await lockStudy(tx, studyId);
    const { rows } = await tx.query<{ id: string }>(
      `SELECT id FROM runs WHERE study_id = $1 AND status IN ('queued', 'claimed', 'running')
       ORDER BY id FOR NO KEY UPDATE`,
      [studyId],
    );
    const cancelled = await requestCancel(
      tx,
      rows.map((row) => row.id),
      by,
    );
    return { cancelled };
  });
}

/**
 * A design for the form, to be changed there and created as a new study; nothing is stored.
 * @param copyName left out: one made from the study's own
 * @param runId a run of a distilled student: the design is then that of its variant and seed alone
 */
export async function cloneDesign(
  db: Queryable,
  studyId: string,
  { copyName, runId }: { copyName?: string | undefined; runId?: string | undefined } = {},
): Promise<{ name: string; design: StudyDesign }> {
  const { rows } = await db.query<{ name: string; design: unknown; seed: number | null; levels: object | null }>(
    `SELECT s.name, s.design, r.seed, v.levels FROM studies s
     LEFT JOIN runs r ON r.id = $2 AND r.study_id = s.id LEFT JOIN variants v ON v.id = r.variant_id
     WHERE s.id = $1 AND s.kind = 'ablation'`,
    [studyId, runId ?? null],
  );
  const study = rows[0];
  if (!study) throw unknownStudy(studyId);
  const { levels, seed } = study;
  const variant = levels === null ? {} : { design: 'list', list: [levels], seeds: [seed], baseline: false };
  return {
    name: copyName ?? `${study.name} (copy)`.slice(0, 200),
    design: StudyDesign.parse({ ...(study.design as object), ...variant }),
  };
}

/**
 * Removes a study with its runs, points and log lines. Checkpoint files that nobody else refers to go with the next
 * sweep of the blob store.
 * @throws {AppError} not_found, or conflict while a run is active or an unfinished run elsewhere needs one of these
 */
export async function removeStudy(hub: CoreHub, studyId: string): Promise<void> {
  await transact(hub, async (tx) => {
    await lockStudy(tx, studyId);
    const { rows: runs } = await tx.query<{ id: string; status: string }>(
      'SELECT id, status FROM runs WHERE study_id = $1 ORDER BY id FOR UPDATE',
      [studyId],
    );
    const active = runs.filter((run) => run.status === 'claimed' || run.status === 'running').length;
    if (active > 0)
      throw new AppError('conflict', `${active} of its runs are on a host. Cancel the study first, then remove it.`);
    const runIds = runs.map((run) => run.id);
    const { rows: users } = await tx.query<{ name: string }>(
      `SELECT s.name FROM runs r JOIN studies s ON s.id = r.study_id
       WHERE r.study_id <> $1 AND r.status IN ('queued', 'claimed', 'running')
         AND (r.config#>>'{initialisation,runId}' = ANY($2) OR r.config#>>'{source,runId}' = ANY($2)
              OR EXISTS (SELECT 1 FROM jsonb_array_elements(r.config->'teachers') t WHERE t->>'runId' = ANY($2)))
       LIMIT 1`,
      [studyId, runIds],
    );
    if (users[0])
      throw new AppError(
        'conflict',
        `Unfinished runs of "${users[0].name}" need networks of this study. Let them end.`,
      );
    await removeMetrics(tx, runIds);
    await tx.query('DELETE FROM log_lines WHERE run_id = ANY($1)', [runIds]);
    await tx.query('DELETE FROM output_lines WHERE run_id = ANY($1)', [runIds]);
    await tx.query('DELETE FROM studies WHERE id = $1', [studyId]);
    tx.emit('study:changed', { studyId });
  });
}

/** Events of its runs may still be written meanwhile; that waits for nobody who waits for these runs. */
async function lockStudy(tx: Tx, studyId: string): Promise<void> {
  const { rows } = await tx.query(`SELECT 1 FROM studies WHERE id = $1 AND kind = 'ablation' FOR NO KEY UPDATE`, [
    studyId,
  ]);
  if (rows.length === 0) throw unknownStudy(studyId);
}
