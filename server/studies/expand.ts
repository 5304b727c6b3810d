/** A design against the database: what expandDesign says with everything the hub knows. */
import { AppError } from '@mealtable/protocol/errors';
import { type Expansion, expandDesign, type PlannedVariant } from '@mealtable/protocol/expand-design';
import type { FieldProblem, StudyDesign } from '@mealtable/protocol/study-design';
import { explainValidationOnly, isValidationOnly } from '@mealtable/protocol/validation-only';
import { loadDatasetOptions } from '../hosts/datasets.ts';
import type { Queryable } from '../runs/summary.ts';
import { loadKnownRuns } from './teachers.ts';

/** Existing runs that a design names, as teachers or as the student's start. */
export function namedRuns(design: StudyDesign): string[] {
  const refs = [
    ...design.factors.teachers.flat(),
    ...design.list.flatMap((l) => l.teachers),
    design.student.initialisation,
  ];
  return [...new Set(refs.flatMap((ref) => (ref.kind === 'run' ? [ref.runId] : [])))];
}

export async function expandWithDatabase(db: Queryable, design: StudyDesign): Promise<Expansion> {
  const dataset = (await loadDatasetOptions(db)).find((d) => d.name === design.dataset);
  const runs = await loadKnownRuns(db, namedRuns(design));
  const expansion = expandDesign(design, { classCount: dataset?.classNames.length ?? null, runs });
  const sentences = [...(dataset?.problems ?? [])];
  if (dataset && isValidationOnly(dataset)) sentences.push(explainValidationOnly(dataset.name));
  const faults = sentences.map((message): FieldProblem => ({ path: 'dataset', message }));
  if (faults.length === 0) return expansion;
  return { ok: false, problems: expansion.ok ? faults : [...faults, ...expansion.problems] };
}

/** @throws {AppError} invalid, with every problem */
export async function expandOrRefuse(db: Queryable, design: StudyDesign): Promise<PlannedVariant[]> {
  const expansion = await expandWithDatabase(db, design);
  if (!expansion.ok) throw refuseDesign(expansion.problems);
  return expansion.variants;
}

export function refuseDesign(problems: FieldProblem[]): AppError {
  return new AppError('invalid', problems[0]?.message ?? 'This design cannot be run.', problems);
}
