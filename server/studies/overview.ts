/** StudyOverview: what a study's page begins with, whatever the number of runs. */
import { AppError } from '@mealtable/protocol/errors';
import { StudyDesign } from '@mealtable/protocol/study-design';
import type { StudyOverview, TextChange } from '@mealtable/protocol/study-page';
import type { Queryable } from '../runs/summary.ts';
import { type CoreHub, transact } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';
import { namedRuns } from './expand.ts';

const unknownStudy = (studyId: string) => new AppError('not_found', `There is no study ${studyId}.`);

/** @throws {AppError} not_found */
export async function loadOverview(db: Queryable, studyId: string): Promise<StudyOverview> {
  const { rows } = await db.query<{
    name: string;
    question: string;
    notes: string;
    created_at: Date;
    created_by: string;
    design: unknown;
    max_concurrent: number | null;
    variants: number;
    runs: number;
    compared: number;
  }>(
    `SELECT s.name, s.question, s.notes, s.created_at, COALESCE(u.name, '') AS created_by, s.design, s.max_concurrent,
            (SELECT count(*)::int FROM variants v WHERE v.study_id = s.id) AS variants,
            r.runs, r.compared
     FROM studies s LEFT JOIN users u ON u.id = s.created_by_id CROSS JOIN LATERAL (
       SELECT count(*)::int AS runs, count(*) FILTER (WHERE role IN ('student', 'baseline'))::int AS compared
       FROM runs WHERE study_id = s.id) r
     WHERE s.id = $1 AND s.kind = 'ablation'`,
    [studyId],
  );
  const [study] = rows;
  if (!study) throw unknownStudy(studyId);
  const design = StudyDesign.parse(study.design);
  return {
    id: studyId,
    name: study.name,
    question: study.question,
    notes: study.notes,
    createdAt: study.created_at.getTime(),
    createdBy: study.created_by,
    design,
    runNames: await loadRunNames(db, namedRuns(design)),
    maxConcurrent: study.max_concurrent,
    variantCount: study.variants,
    runCount: study.runs,
    comparedCount: study.compared,
  };
}

async function loadRunNames(db: Queryable, runIds: readonly string[]): Promise<Record<string, string>> {
  if (runIds.length === 0) return {};
  const { rows } = await db.query<{ id: string; name: string }>(
    `SELECT r.id, v.label || ' (' || s.name || ', seed ' || r.seed || ')' AS name
     FROM runs r JOIN variants v ON v.id = r.variant_id JOIN studies s ON s.id = r.study_id WHERE r.id = ANY($1)`,
    [runIds],
  );
  return Object.fromEntries(rows.map(({ id, name }) => [id, name]));
}

/** @throws {AppError} not_found, or conflict when somebody else has changed the text meanwhile */
export async function changeText(hub: CoreHub, { id, field, was, text }: TextChange): Promise<void> {
  await transact(hub, async (tx) => {
    const { rows } = await tx.query<{ now: string }>(
      // The name comes from the enum of TextChange.
      `SELECT ${field} AS now FROM studies WHERE id = $1 AND kind = 'ablation' FOR NO KEY UPDATE`,
      [id],
    );
    const [study] = rows;
    if (!study) throw unknownStudy(id);
    const stored = withoutNul(text);
    if (study.now === stored) return;
    if (study.now !== withoutNul(was))
      throw new AppError(
        'conflict',
        `Somebody else has changed the ${field} meanwhile. Copy your text, close, and bring both together.`,
      );
    await tx.query(`UPDATE studies SET ${field} = $2 WHERE id = $1`, [id, stored]);
    tx.emit('study:changed', { studyId: id });
  });
}
