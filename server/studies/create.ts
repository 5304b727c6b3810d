/** Creating a study: from the design to its queued runs, in one transaction. */
import type { StudyDesign } from '@mealtable/protocol/study-design';
import type { Hub } from '../context.ts';
import { noteEvent } from '../events/note-event.ts';
import { transact } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';
import { expandOrRefuse } from './expand.ts';
import { NOTHING_EXISTS, planStudy, type StudyPlan } from './plan-study.ts';
import { writePlan } from './write-plan.ts';

export type StudyHub = Pick<Hub, 'pool' | 'bus' | 'ids'>;

export interface NewStudy {
  name: string;
  notes: string;
  question?: string;
  /** Labels that the hosts of all its runs must have, beside those that the design asks for. */
  requiredLabels?: readonly string[];
  design: StudyDesign;
  /** The member who creates it. */
  createdById: string | null;
}

/** @returns the study's id @throws {AppError} invalid, with every problem of the design */
export async function createStudy(hub: StudyHub, study: NewStudy): Promise<string> {
  return transact(hub, async (tx) => {
    const variants = await expandOrRefuse(tx, study.design);
    const studyId = hub.ids('study');
    await tx.query(
      'INSERT INTO studies (id, name, notes, question, design, created_by_id) VALUES ($1, $2, $3, $4, $5, $6)',
      [
        studyId,
        withoutNul(study.name),
        withoutNul(study.notes),
        withoutNul(study.question ?? ''),
        JSON.stringify(study.design),
        study.createdById,
      ],
    );
    const plan = requireLabels(planStudy(study.design, variants, NOTHING_EXISTS, hub.ids), study.requiredLabels ?? []);
    await noteEvent(tx, { kind: 'study-created', studyId, runs: plan.newRuns.length });
    await writePlan(tx, studyId, plan);
    return studyId;
  });
}

/** The plan with labels that every new run needs of its host as well. */
export const requireLabels = (plan: StudyPlan, labels: readonly string[]): StudyPlan => ({
  ...plan,
  newRuns: plan.newRuns.map((run) => ({
    ...run,
    requiredLabels: [...new Set([...run.requiredLabels, ...labels])].sort(),
  })),
});
