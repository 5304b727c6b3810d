/** What a design would take on this hub's hosts: hours by what they have computed so far, and labels that they keep already. */
import { HostReport } from '@mealtable/protocol/agent-messages';
import { costOfStudy } from '@mealtable/protocol/study-cost';
import type { StudyDesign } from '@mealtable/protocol/study-design';
import type { StudyEstimate } from '@mealtable/protocol/study-estimate';
import { canTrainOn } from '@mealtable/protocol/validation-only';
import { plannedVariantKey } from '@mealtable/protocol/variant-key';
import { HOST_STATE } from '../hosts/host-state.ts';
import type { Queryable } from '../runs/summary.ts';
import { judgeSpeeds, type MeasuredHost, timeStudy } from './estimate-hours.ts';
import { bytesOfLabel, findLabelled, precisionOn } from './estimate-labels.ts';
import { loadSpeeds } from './estimate-speed.ts';
import { expandOrRefuse, namedRuns } from './expand.ts';
import { loadKnownRuns } from './teachers.ts';

/**
 * @param extendedId a study that the design extends: then only what it adds is counted
 * @throws {AppError} invalid, with every problem of the design
 */
export async function estimateStudy(
  db: Queryable,
  design: StudyDesign,
  extendedId: string | null,
): Promise<StudyEstimate> {
  const variants = await expandOrRefuse(db, design);
  const hosts = await loadHosts(db, design.dataset);
  const [first] = hosts;
  if (!first) return NO_HOST;
  const existing = extendedId === null ? null : await loadRunIds(db, extendedId);
  const added = variants.flatMap(({ runs }) => runs.flatMap(({ key }) => (existing?.has(key) ? [] : [key])));
  const classCount = first.dataset.classNames.length;
  const runs = await loadKnownRuns(db, namedRuns(design));
  const cost = costOfStudy(
    design,
    variants,
    { classCount, trainCount: first.dataset.trainCount, valCount: first.dataset.valCount, runs },
    new Set(added),
  );
  const plannedRunIds = new Map(
    design.planned.flatMap(({ key, seed }) => {
      const runId = existing?.get(`${plannedVariantKey(key)}#${seed}`);
      return runId === undefined ? [] : [[key, runId] as const];
    }),
  );
  const speeds = await loadSpeeds(
    db,
    hosts.map(({ hostId }) => hostId),
  );
  const described = hosts.map(({ hostId, report, dataset }) => {
    const precision = precisionOn(report, design.precision);
    const facts = { softLabels: design.softLabels, dataset, classCount, precision, plannedRunIds };
    const labelled = new Map(cost.sets.map((set) => [set.key, findLabelled(set, report.labelSets, facts)]));
    const measured: MeasuredHost = { slots: report.slots, speeds: speeds.get(hostId) ?? [], precision, labelled };
    return { hostId, name: report.name, measured };
  });
  const needed = cost.sets.reduce((sum, { labels }) => sum + labels, 0);
  const timed = described.map(({ measured }) => measured).filter((host) => host.speeds.length > 0);
  const { softLabels } = design;
  const keep = softLabels === undefined || softLabels.mode === 'online' ? 'full' : softLabels.keep;
  return {
    hosts: described.map(({ hostId, name, measured }) => ({
      hostId,
      name,
      slots: measured.slots,
      measuredRuns: new Set(measured.speeds.map(({ runId }) => runId)).size,
      labelled:
        needed === 0
          ? null
          : cost.sets.reduce((sum, { key, labels }) => sum + labels * measured.labelled.get(key)!, 0) / needed,
    })),
    online: timed.length === 0 ? null : timeStudy(cost, timed, 'none'),
    shared: timed.length === 0 ? null : timeStudy(cost, timed, softLabels?.mode === 'prefill' ? 'once' : 'host'),
    ...(timed.length === 0 ? { likeness: null, isOtherPrecision: false } : judgeSpeeds(cost, timed)),
    labelBytes: cost.sets.reduce((sum, { labels, logits }) => sum + labels * bytesOfLabel(keep, classCount, logits), 0),
  };
}

const NO_HOST: StudyEstimate = {
  hosts: [],
  online: null,
  shared: null,
  likeness: null,
  isOtherPrecision: false,
  labelBytes: 0,
};

/** Hosts that are here and can train on the dataset. */
async function loadHosts(db: Queryable, datasetName: string) {
  const { rows } = await db.query<{ id: string; report: unknown }>(
    `SELECT h.id, h.report FROM hosts h WHERE ${HOST_STATE} = 'online' ORDER BY h.name, h.id`,
  );
  return rows.flatMap(({ id, report: stored }) => {
    const report = HostReport.parse(stored);
    const dataset = report.datasets.find(({ name }) => name === datasetName);
    return dataset && canTrainOn(dataset) ? [{ hostId: id, report, dataset }] : [];
  });
}

/** Ids of a study's runs by the keys of its expansion. */
async function loadRunIds(db: Queryable, studyId: string): Promise<Map<string, string>> {
  const { rows } = await db.query<{ id: string; key: string; seed: number }>(
    'SELECT r.id, v.key, r.seed FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.study_id = $1',
    [studyId],
  );
  return new Map(rows.map(({ id, key, seed }) => [`${key}#${seed}`, id]));
}
