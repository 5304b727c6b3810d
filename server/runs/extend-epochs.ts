/**
 * More epochs for runs that train: their configs change, and they go on from their latest checkpoints. One that is under way ends
 * its epochs first and is then queued again (`judgeEnding`).
 */
import { AppError } from '@mealtable/protocol/errors';
import { MAX_ATTEMPTS } from '@mealtable/protocol/tunables';
import { noteAct } from '../events/run-events.ts';
import { announceDependents } from './lifecycle-dependents.ts';
import type { Tx } from './transaction.ts';

export interface ExtendReply {
  /** Runs that have more epochs now. */
  changed: number;
  /** Those of them that had succeeded and are queued again. */
  queued: number;
}

/**
 * succeeded -> queued; runs of any other status get the number alone. Runs that have as many epochs already are left as they are.
 * @param which whole studies, whose planned networks stay as they are: then later variants and seeds get as many epochs as well; or
 * single runs, which their study no longer compares like with like
 * @param by name of the member who asks
 * @throws {AppError} not_found, or invalid when a run trains nothing
 */
export async function extendEpochs(
  tx: Tx,
  which: { studyId: string } | { runIds: string[] },
  epochs: number,
  by: string | null = null,
): Promise<ExtendReply> {
  const runIds = 'runIds' in which ? which.runIds : await extendStudyDesign(tx, which.studyId, epochs);
  // A run that is being claimed reads the weights of what it needs: that must not go back to the queue in the middle of it.
  await tx.query(
    `SELECT 1 FROM runs WHERE id IN (SELECT run_id FROM run_dependencies WHERE depends_on_id = ANY($1)) OR id = ANY($1)
     ORDER BY id FOR NO KEY UPDATE`,
    [runIds],
  );
  const { rows: idle } = await tx.query<{ label: string }>(
    `SELECT v.label FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.id = ANY($1) AND NOT r.config ? 'epochs' LIMIT 1`,
    [runIds],
  );
  if (idle[0]) throw new AppError('invalid', `"${idle[0].label}" has no epochs: it trains nothing. Leave it out.`);
  const { rows } = await tx.query<{ id: string; was: string }>(
    `UPDATE runs r SET config = jsonb_set(r.config, '{epochs}', to_jsonb($2::int)),
            status = CASE WHEN o.status = 'succeeded' THEN 'queued' ELSE o.status END,
            finished_at = CASE WHEN o.status = 'succeeded' THEN NULL ELSE r.finished_at END,
            host_id = CASE WHEN o.status = 'succeeded' THEN NULL ELSE r.host_id END,
            max_attempts = CASE WHEN o.status = 'succeeded' THEN r.attempt + $3 ELSE r.max_attempts END
     FROM runs o WHERE o.id = r.id AND r.id = ANY($1) AND (r.config->>'epochs')::int < $2
     RETURNING r.id, o.status AS was`,
    [runIds, epochs, MAX_ATTEMPTS],
  );
  const queued = rows.filter((row) => row.was === 'succeeded');
  for (const { id } of rows) tx.runChanged(id);
  for (const { id } of queued) await announceDependents(tx, id);
  const extendedIds = rows.map(({ id }) => id);
  await noteAct(tx, { kind: 'epochs-extended', epochs }, extendedIds, by);
  if (queued.length > 0) tx.nudge(null);
  return { changed: rows.length, queued: queued.length };
}

/** @returns the runs that the design's number of epochs is for */
async function extendStudyDesign(tx: Tx, studyId: string, epochs: number): Promise<string[]> {
  const { rows } = await tx.query<{ epochs: number }>(
    `SELECT (design->>'epochs')::int AS epochs FROM studies WHERE id = $1 AND kind = 'ablation' FOR NO KEY UPDATE`,
    [studyId],
  );
  const study = rows[0];
  if (!study) throw new AppError('not_found', `There is no study ${studyId}.`);
  if (epochs <= study.epochs)
    throw new AppError('invalid', `epochs: The study has ${study.epochs} epochs already; give more than that.`, [
      { path: 'epochs', message: `The study has ${study.epochs} epochs already; give more than that.` },
    ]);
  await tx.query(`UPDATE studies SET design = jsonb_set(design, '{epochs}', to_jsonb($2::int)) WHERE id = $1`, [
    studyId,
    epochs,
  ]);
  tx.emit('study:changed', { studyId });
  const runs = await tx.query<{ id: string }>(
    `SELECT id FROM runs WHERE study_id = $1 AND role IN ('student', 'baseline')`,
    [studyId],
  );
  return runs.rows.map((row) => row.id);
}
