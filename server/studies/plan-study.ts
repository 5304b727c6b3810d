/** planStudy: the rows that a design needs beyond those that exist. Pure; ids come from the caller. */

import type { PlannedVariant } from '@mealtable/protocol/expand-design';
import type { IdKind } from '@mealtable/protocol/ids';
import type { RunConfig } from '@mealtable/protocol/run-config';
import type { StudyDesign } from '@mealtable/protocol/study-design';
import { plannedVariantKey } from '@mealtable/protocol/variant-key';
import { buildConfig, type NeededRunIds, plannedNeeds } from './build-config.ts';

export interface VariantRow {
  id: string;
  position: number;
  variant: PlannedVariant;
  isNew: boolean;
}
export interface RunRow {
  id: string;
  variantId: string;
  role: PlannedVariant['role'];
  network: string;
  /** Of the crops, for a run that labels. */
  seed: number;
  config: RunConfig;
  /** Labels that its host must have. */
  requiredLabels: string[];
}
export interface StudyPlan {
  /** All variants of the design, in the order of the table. */
  variants: VariantRow[];
  newRuns: RunRow[];
  dependencies: { runId: string; dependsOnId: string }[];
}
/** What a study has already: ids by the keys of the expansion. */
export interface ExistingRows {
  variantIds: ReadonlyMap<string, string>;
  /** By `PlannedRun.key`. */
  runIds: ReadonlyMap<string, string>;
}
export const NOTHING_EXISTS: ExistingRows = { variantIds: new Map(), runIds: new Map() };

/** @param variants of an expansion without problems */
export function planStudy(
  design: StudyDesign,
  variants: readonly PlannedVariant[],
  existing: ExistingRows,
  makeId: (kind: IdKind) => string,
): StudyPlan {
  const plan: StudyPlan = { variants: [], newRuns: [], dependencies: [] };
  const runIds = new Map(existing.runIds);
  for (const run of variants.flatMap((v) => v.runs)) if (!runIds.has(run.key)) runIds.set(run.key, makeId('run'));
  const runIdOf = (key: string) => runIds.get(key) as string;
  const idsBy = (role: PlannedVariant['role']) => variants.filter((v) => v.role === role);
  const needed: NeededRunIds = {
    planned: new Map(design.planned.map((p) => [p.key, runIdOf(`${plannedVariantKey(p.key)}#${p.seed}`)])),
    labelling: new Map(idsBy('labelling').map(({ key, runs }) => [key, runIdOf(runs[0]!.key)])),
  };

  const { softLabels } = design;
  const hostLabels = (softLabels?.mode === 'prefill' && softLabels.hostLabels) || [];
  for (const [position, variant] of variants.entries()) {
    const existingId = existing.variantIds.get(variant.key);
    const variantId = existingId ?? makeId('variant');
    plan.variants.push({ id: variantId, position, variant, isNew: existingId === undefined });
    const labels = variant.role === 'student' ? variant.labelSets : [];
    const needs = [
      ...plannedNeeds(design, variant).map((key) => needed.planned.get(key) as string),
      ...labels.map(({ key }) => needed.labelling.get(key) as string),
    ];
    for (const run of variant.runs) {
      if (existing.runIds.has(run.key)) continue;
      const id = runIdOf(run.key);
      const config = buildConfig(design, variant, run.seed, needed);
      const requiredLabels = variant.role === 'labelling' ? hostLabels : [];
      const { role, network } = variant;
      plan.newRuns.push({ id, variantId, role, network, seed: run.seed, config, requiredLabels });
      for (const dependsOnId of needs) plan.dependencies.push({ runId: id, dependsOnId });
    }
  }
  return plan;
}
