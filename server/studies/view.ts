/** StudyView: a study with its table and its runs. */
import { AppError } from '@mealtable/protocol/errors';
import { StudyDesign } from '@mealtable/protocol/study-design';
import { buildEffects, buildTop1Table } from '@mealtable/protocol/top1-table';
import type { StudyView } from '@mealtable/protocol/views';
import { loadRunSummaries, type Queryable } from '../runs/summary.ts';
import { chooseReference, loadTableVariants } from './table-variants.ts';

/** @throws {AppError} not_found */
export async function loadStudyView(db: Queryable, studyId: string): Promise<StudyView> {
  const { rows } = await db.query<{
    name: string;
    notes: string;
    created_at: Date;
    created_by: string;
    design: unknown;
    reference_variant_id: string | null;
    max_concurrent: number | null;
  }>(
    `SELECT s.name, s.notes, s.created_at, COALESCE(u.name, '') AS created_by, s.design, s.reference_variant_id,
            s.max_concurrent
     FROM studies s LEFT JOIN users u ON u.id = s.created_by_id WHERE s.id = $1 AND s.kind = 'ablation'`,
    [studyId],
  );
  const study = rows[0];
  if (!study) throw new AppError('not_found', `There is no study ${studyId}.`);
  const runs = await loadRunSummaries(db, { studyId });
  const variants = await loadTableVariants(db, studyId, runs);
  const referenceVariantId = chooseReference(variants, study.reference_variant_id);
  return {
    id: studyId,
    name: study.name,
    notes: study.notes,
    createdAt: study.created_at.getTime(),
    createdBy: study.created_by,
    design: StudyDesign.parse(study.design),
    referenceVariantId,
    maxConcurrent: study.max_concurrent,
    rows: buildTop1Table(variants, referenceVariantId),
    effects: buildEffects(variants, referenceVariantId),
    runs,
  };
}
