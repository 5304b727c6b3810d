/** StudyTable: a study's rows, with what is drawn of its runs; their summaries stay where they are. */
import { AppError } from '@mealtable/protocol/errors';
import type { RunStatus } from '@mealtable/protocol/statuses';
import type { StudyTable } from '@mealtable/protocol/study-page';
import { buildTop1Table } from '@mealtable/protocol/top1-table';
import { type Queryable, toMillis } from '../runs/summary.ts';
import { chooseReference, loadTableVariants } from './table-variants.ts';

/** @throws {AppError} not_found */
export async function loadStudyTable(db: Queryable, studyId: string): Promise<StudyTable> {
  const studies = await db.query<{ reference_variant_id: string | null }>(
    `SELECT reference_variant_id FROM studies WHERE id = $1 AND kind = 'ablation'`,
    [studyId],
  );
  const [study] = studies.rows;
  if (!study) throw new AppError('not_found', `There is no study ${studyId}.`);
  const { rows } = await db.query<{
    id: string;
    variant_id: string;
    seed: number;
    status: RunStatus;
    started_at: Date | null;
    best_top1: number | null;
    best_epoch: number | null;
    last_top1: number | null;
  }>(
    `SELECT r.id, r.variant_id, r.seed, r.status, r.started_at, r.best_top1, r.best_epoch, r.last_top1
     FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.study_id = $1 ORDER BY v.position, r.seed`,
    [studyId],
  );
  const runs = rows.map((row) => ({
    id: row.id,
    variantId: row.variant_id,
    seed: row.seed,
    status: row.status,
    startedAt: toMillis(row.started_at),
    bestTop1: row.best_top1,
    bestEpoch: row.best_epoch,
    lastTop1: row.last_top1,
  }));
  const variants = await loadTableVariants(db, studyId, runs);
  const referenceVariantId = chooseReference(variants, study.reference_variant_id);
  return {
    referenceVariantId,
    rows: buildTop1Table(variants, referenceVariantId),
    runs: runs.map(({ id, variantId, seed, status, startedAt }) => ({ id, variantId, seed, status, startedAt })),
  };
}
