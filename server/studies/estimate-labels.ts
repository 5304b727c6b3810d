/**
 * Which labels hosts keep already. Exact is everything but the precision: a host's trainers compute in the design's where it has GPUs,
 * and in float32 where it has none, unless somebody keeps them from its GPUs. A teacher is the same where the host has noted its run or
 * published weights; a network that has yet to be trained has no labels.
 */
import type { DatasetReport, HostReport, LabelSetReport } from '@mealtable/protocol/agent-messages';
import type { Precision } from '@mealtable/protocol/run-config';
import type { LabelSetCost } from '@mealtable/protocol/study-cost';
import type { NetworkRef, StudyDesign } from '@mealtable/protocol/study-design';
import { weightRatios } from '@mealtable/protocol/variant-key';

export interface LabelFacts {
  softLabels: StudyDesign['softLabels'];
  dataset: Pick<DatasetReport, 'fingerprint' | 'trainCount'>;
  classCount: number;
  precision: Precision;
  /** Runs that have trained the design's planned networks, by their keys. */
  plannedRunIds: ReadonlyMap<string, string>;
}

/** What the trainers of a host compute a design in. */
export const precisionOn = ({ gpus, backend }: Pick<HostReport, 'gpus' | 'backend'>, wanted: Precision): Precision =>
  gpus.length > 0 && backend !== 'cpu' ? wanted : 'float32';

/** @returns the share of the set's labels that these reports hold, 0 to 1 */
export function findLabelled(set: LabelSetCost, reports: readonly LabelSetReport[], facts: LabelFacts): number {
  const report = reports.find((one) => isSameSet(one, set, facts));
  if (!report || set.labels === 0) return 0;
  const found = report.labelled.slice(0, set.views).reduce((sum, count) => sum + count, 0);
  return Math.min(1, found / (report.imageCount * set.views));
}

function isSameSet(report: LabelSetReport, set: LabelSetCost, facts: LabelFacts): boolean {
  const { softLabels, dataset, classCount, precision } = facts;
  const kept = softLabels === undefined || softLabels.mode === 'online' ? null : softLabels;
  const keep = kept?.keep ?? 'full';
  return (
    report.fingerprint === dataset.fingerprint &&
    report.imageCount === dataset.trainCount &&
    report.classCount === classCount &&
    report.precision === precision &&
    report.temperature === set.temperature &&
    report.inputSize === set.inputSize &&
    report.augmentationSeed === (kept?.augmentationSeed ?? 0) &&
    report.logits === set.logits &&
    // With no more classes than are kept, all are.
    report.keep === (keep !== 'full' && keep >= classCount ? 'full' : keep) &&
    hasSameTeachers(report, set.teachers, facts)
  );
}

function hasSameTeachers(
  { teachers }: LabelSetReport,
  refs: readonly NetworkRef[],
  { plannedRunIds }: LabelFacts,
): boolean {
  const idOf = (ref: NetworkRef) =>
    ref.kind === 'pretrained' ? ref.weights : ref.kind === 'run' ? ref.runId : plannedRunIds.get(ref.key);
  const ratios = weightRatios(refs);
  const least = Math.min(...teachers.map(({ share }) => share));
  const isNear = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * b;
  const isOne = (ref: NetworkRef, ratio: number) =>
    teachers.some(({ ids, share }) => ids.includes(idOf(ref) ?? '') && isNear(share / least, ratio));
  return teachers.length === refs.length && refs.every((ref, i) => isOne(ref, ratios[i]!));
}

/** Bytes of a label on the disk, its checksum and its place included, as docs/soft-labels.md states them. */
export function bytesOfLabel(keep: 'full' | 5 | 10, classCount: number, logits: boolean): number {
  const probabilities = keep === 'full' || keep >= classCount ? 2 * classCount + 12 : 4 * keep + 14;
  return probabilities + (logits ? 2 * classCount + 4 : 0);
}
