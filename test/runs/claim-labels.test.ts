/** What hosts are given of a study whose labels are computed first. */
import { randomBytes } from 'node:crypto';
import type { Grant } from '@mealtable/protocol/agent-messages';
import { configFeatures } from '@mealtable/protocol/config-features';
import { LABEL_SET_FILE } from '@mealtable/protocol/records';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadBestModels } from '../../server/checkpoints/checkpoint-rows.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { loadRunDetail } from '../../server/runs/detail.ts';
import { loadTeacherOptions } from '../../server/studies/teachers.ts';
import { loadStudyView } from '../../server/studies/view.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  makeDesign,
  metrics,
  plannedRef,
  runsOf,
  ScriptedAttempt,
  type ScriptedCheckpoint,
  sha256Of,
  started,
  statusOf,
  succeed,
  uploadCheckpoint,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const design = (hostLabels?: string[]) =>
  makeDesign({
    softLabels: { mode: 'prefill', viewsPerImage: 3, ...(hostLabels && { hostLabels }) },
    planned: makeDesign().planned.slice(0, 1),
    baseline: false,
    factors: { teachers: [[plannedRef('a')]], discriminator: [true], inputSize: [24] },
    seeds: [1],
  });

/** What describes the labels, and so many files of them. */
function labels(step: number, earlier: Buffer[], more: number): ScriptedCheckpoint {
  const parts = [...earlier, ...Array.from({ length: more }, () => randomBytes(64))];
  const contents = [Buffer.from('{"version":1}'), ...parts];
  const names = [LABEL_SET_FILE, ...parts.map((_, i) => `part-${i}.labels`)];
  const files = contents.map((bytes, i) => ({ name: names[i]!, sha256: sha256Of(bytes), sizeBytes: bytes.length }));
  const checkpointId = core.hub.ids('checkpoint');
  const rest = { stepsCompleted: step, epoch: step / 10, top1: null, isBest: false };
  const record = { kind: 'checkpoint' as const, checkpointId, ...rest, files };
  return { record: record as ScriptedCheckpoint['record'], contents };
}

/** The teacher is trained, and the run that labels is claimed. */
async function claimLabelling(): Promise<{ host: string; studyId: string; grant: Grant }> {
  const { hub } = core;
  const host = await addHost(hub, { configFeatures: [...configFeatures()] });
  const studyId = await addStudy(hub, design());
  await succeed(hub, (await claimOne(hub, host))!);
  return { host, studyId, grant: (await claimOne(hub, host))! };
}

test('who labels gets its teacher, goes on from its latest files, and gives them to its students', async () => {
  const { hub } = core;
  const { host, studyId, grant } = await claimLabelling();
  const [teacher, labelling, student] = await runsOf(hub, studyId);
  expect(grant).toMatchObject({ runId: labelling, config: { task: 'labelling' }, resume: null });
  expect(grant.teachers.map(({ runId }) => runId)).toEqual([teacher]);
  expect(grant.initialisation).toBeNull();

  const first = new ScriptedAttempt(hub, grant);
  const [early, late] = [labels(10, [], 1), labels(20, [], 2)];
  await first.send(started(), metrics(10, { 'labels/coverage': 33 }), early.record, late.record);
  await uploadCheckpoint(hub, early);
  await uploadCheckpoint(hub, late);
  await first.send(ended({ outcome: 'interrupted' }));
  const again = (await claimOne(hub, host))!;
  expect(again).toMatchObject({ attempt: 2, resume: { stepsCompleted: 20 } });
  expect(again.resume?.files.map(({ name }) => name).sort()).toEqual([
    LABEL_SET_FILE,
    'part-0.labels',
    'part-1.labels',
  ]);
  expect(again.best ?? null).toBeNull();

  const second = new ScriptedAttempt(hub, again);
  const whole = labels(30, late.contents.slice(1), 1);
  await second.send(started(20), metrics(30, { 'labels/coverage': 100 }), whole.record);
  await uploadCheckpoint(hub, whole);
  await second.send(ended());
  expect(await statusOf(hub, labelling!)).toBe('succeeded');

  const granted = (await claimOne(hub, host))!;
  expect(granted.runId).toBe(student);
  expect(granted.config).toMatchObject({ softLabels: { mode: 'cached', labelledBy: [labelling] } });
  const byName = (files: { name: string }[]) => files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  expect(granted.labels?.map(({ runId, files }) => [runId, byName(files)])).toEqual([
    [labelling, byName(whole.record.files)],
  ]);
});

test('a run that labels goes only to a host with the labels that its study names', async () => {
  const { hub } = core;
  const host = await addHost(hub, { configFeatures: [...configFeatures()] });
  const studyId = await addStudy(hub, design(['a100', 'room:2']));
  const [, labelling] = await runsOf(hub, studyId);
  await succeed(hub, (await claimOne(hub, host))!);
  await hub.pool.query(`UPDATE hosts SET labels = '{a100}' WHERE id = $1`, [host]);
  expect(await claimRuns(hub, host, 1)).toEqual([]);
  await hub.pool.query(`UPDATE hosts SET labels = '{a100,big,room:2}' WHERE id = $1`, [host]);
  expect((await claimOne(hub, host))?.runId).toBe(labelling);
});

test('labels are no result: no row of the table, no best checkpoint, no teacher, no download', async () => {
  const { hub } = core;
  const { studyId, grant } = await claimLabelling();
  const attempt = new ScriptedAttempt(hub, grant);
  const whole = labels(30, [], 2);
  await attempt.send(started(), whole.record);
  await uploadCheckpoint(hub, whole);
  await attempt.send(ended());
  const [, labelling] = await runsOf(hub, studyId);
  const detail = await loadRunDetail(hub.pool, labelling!);
  expect(detail).toMatchObject({ role: 'labelling', status: 'succeeded', epochs: 3, bestTop1: null });
  expect(detail.checkpoints).toMatchObject([{ isBest: false, isLatest: true, complete: true }]);
  expect(await loadBestModels(hub.pool, [labelling!])).toEqual(new Map());
  const study = await loadStudyView(hub.pool, studyId);
  expect(study.rows.map(({ role }) => role)).toEqual(['teacher', 'student']);
  expect(study.runs.map(({ role }) => role)).toEqual(['teacher', 'labelling', 'student']);
  const options = await loadTeacherOptions(hub.pool, null);
  expect(options.map(({ runId }) => runId)).not.toContain(labelling);
});

test('a student whose labels are gone fails before it costs a host anything, and says whose they were', async () => {
  const { hub } = core;
  const { host, studyId, grant } = await claimLabelling();
  const attempt = new ScriptedAttempt(hub, grant);
  const whole = labels(30, [], 1);
  await attempt.send(started(), whole.record);
  await uploadCheckpoint(hub, whole);
  await attempt.send(ended());
  await hub.pool.query('DELETE FROM checkpoints WHERE run_id = $1', [grant.runId]);
  expect(await claimRuns(hub, host, 1)).toEqual([]);
  const student = (await runsOf(hub, studyId))[2]!;
  expect(await loadRunDetail(hub.pool, student)).toMatchObject({
    status: 'failed',
    failureCode: 'weights_missing',
    failureMessage: `The labels of ${grant.runId} cannot be had: retry that run.`,
  });
});
