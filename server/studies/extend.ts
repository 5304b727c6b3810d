/** Extending a study: seeds, levels or networks are added, everything that exists is left alone. */
import { AppError } from '@mealtable/protocol/errors';
import { StudyDesign } from '@mealtable/protocol/study-design';
import { noteEvent } from '../events/note-event.ts';
import { type Tx, transact } from '../runs/transaction.ts';
import { checkGrowth, type NamedVariant } from './check-growth.ts';
import type { StudyHub } from './create.ts';
import { requireLabels } from './create.ts';
import { expandOrRefuse, refuseDesign } from './expand.ts';
import { type ExistingRows, planStudy } from './plan-study.ts';
import { writePlan } from './write-plan.ts';

/**
 * @returns how many runs were added @throws {AppError} not_found, or invalid when the design is impossible or does not
 * hold all that the study has
 */
export async function extendStudy(
  hub: StudyHub,
  studyId: string,
  design: StudyDesign,
  by: string | null = null,
): Promise<{ addedRuns: number }> {
  return transact(hub, async (tx) => {
    const { rows } = await tx.query<{ design: unknown }>(
      `SELECT design FROM studies WHERE id = $1 AND kind = 'ablation' FOR NO KEY UPDATE`,
      [studyId],
    );
    if (!rows[0]) throw new AppError('not_found', `There is no study ${studyId}.`);
    const before = StudyDesign.parse(rows[0].design);
    const variants = await expandOrRefuse(tx, design);
    const existing = await loadExisting(tx, studyId);
    const problems = checkGrowth({ design: before, variants: existing.variants }, { design, variants });
    if (problems.length > 0) throw refuseDesign(problems);
    const plan = requireLabels(planStudy(design, variants, existing, hub.ids), await loadCommonLabels(tx, studyId));
    await tx.query('UPDATE studies SET design = $2 WHERE id = $1', [studyId, JSON.stringify(design)]);
    if (plan.newRuns.length > 0) await noteEvent(tx, { kind: 'runs-added', studyId, runs: plan.newRuns.length, by });
    await writePlan(tx, studyId, plan);
    return { addedRuns: plan.newRuns.length };
  });
}

async function loadExisting(tx: Tx, studyId: string): Promise<ExistingRows & { variants: NamedVariant[] }> {
  const variants = await tx.query<NamedVariant & { id: string }>(
    'SELECT id, key, label, role FROM variants WHERE study_id = $1',
    [studyId],
  );
  const runs = await tx.query<{ id: string; key: string; seed: number }>(
    'SELECT r.id, v.key, r.seed FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.study_id = $1',
    [studyId],
  );
  return {
    variantIds: new Map(variants.rows.map((v) => [v.key, v.id])),
    runIds: new Map(runs.rows.map((r) => [`${r.key}#${r.seed}`, r.id])),
    variants: variants.rows,
  };
}

/** Labels that all runs of the study need of their hosts: a study that is bound to some hosts stays so. */
async function loadCommonLabels(tx: Tx, studyId: string): Promise<string[]> {
  const { rows } = await tx.query<{ label: string }>(
    `SELECT label FROM runs r, unnest(r.required_labels) AS label WHERE r.study_id = $1
     GROUP BY label HAVING count(*) = (SELECT count(*) FROM runs WHERE study_id = $1) ORDER BY label`,
    [studyId],
  );
  return rows.map(({ label }) => label);
}
