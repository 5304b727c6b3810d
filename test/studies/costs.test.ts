/** What runs have cost: slot time of all attempts, and what the network is to compute. */
import { networkCost } from '@mealtable/protocol/network-cost';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { classesOf, loadStudyCosts } from '../../server/studies/costs.ts';
import { loadStudyView } from '../../server/studies/view.ts';
import {
  addHost,
  addStudy,
  type Core,
  type CoreHub,
  createCore,
  ended,
  makeCheckpoint,
  makeReport,
  metrics,
  ScriptedAttempt,
  started,
  uploadCheckpoint,
} from '../support/core.ts';

let core: Core;
let hub: CoreHub;
beforeAll(async () => {
  core = await createCore();
  hub = core.hub;
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const GPU = { index: 0, name: 'GPU', memoryBytes: 8e10 };
const setTimes = (runId: string, attempt: number, claimed: string, endedAt: string | null, device: string | null) =>
  hub.pool.query(
    'UPDATE run_attempts SET claimed_at = $3, ended_at = $4, device = $5 WHERE run_id = $1 AND attempt = $2',
    [runId, attempt, claimed, endedAt, device],
  );

test('every attempt’s slot time counts, by what the slot was; speed is the median of the run’s points', async () => {
  const hostId = await addHost(hub, makeReport({ gpus: [GPU] }));
  const studyId = await addStudy(hub);
  const [grant] = await claimRuns(hub, hostId, 1);
  const trainer = new ScriptedAttempt(hub, grant!);
  const speeds = [100, 300, 110, 'NaN', 120].map((speed, i) => metrics(i + 1, { 'train/images_per_s': speed }));
  const checkpoint = makeCheckpoint(hub, 30, 90);
  const last = metrics(30, { 'val/top1': 90, 'test/best_top1': 88, 'test/latest_top1': 87 });
  await trainer.send(started(), ...speeds, last, checkpoint.record);
  await uploadCheckpoint(hub, checkpoint);
  await trainer.send(ended());
  await setTimes(grant!.runId, 1, '2026-01-01T00:00:00Z', '2026-01-01T02:30:00Z', 'gpu');
  // An attempt that was lost before it told what it ran on: its host has a GPU.
  await hub.pool.query(
    `INSERT INTO run_attempts (run_id, attempt, host_id, claimed_at, ended_at, outcome)
     VALUES ($1, 0, $2, '2026-01-01T00:00:00Z', '2026-01-01T00:30:00Z', 'lost')`,
    [grant!.runId, hostId],
  );
  const [teacher, student] = await loadStudyCosts(hub.pool, studyId);
  expect(teacher).toMatchObject({
    runId: grant!.runId,
    slotMs: { gpu: 3 * 3_600_000, cpu: 0 },
    attempts: 2,
    isOpen: false,
    imagesPerS: 115,
    // The scripted trainer's count, and MACs with the ten classes of the host's dataset.
    parameters: 1234,
    macs: networkCost('resnet18_w16', 24, 10).macs,
  });
  const { parameters, macs } = networkCost('resnet18_w8', 24, 10);
  expect(student).toMatchObject({ slotMs: { gpu: 0, cpu: 0 }, attempts: 0, imagesPerS: null, parameters, macs });
  const { rows } = await loadStudyView(hub.pool, studyId);
  expect(rows[0]?.values[0]).toMatchObject({ top1: 90, last: 90, testBest: 88, testLatest: 87 });
});

test('an attempt that goes on counts until now, and a CPU’s slot is no GPU', async () => {
  const hostId = await addHost(hub);
  const studyId = await addStudy(hub);
  const [grant] = await claimRuns(hub, hostId, 1);
  await hub.pool.query(`UPDATE run_attempts SET claimed_at = now() - interval '1 hour'`);
  const [teacher] = await loadStudyCosts(hub.pool, studyId);
  expect(teacher).toMatchObject({ runId: grant!.runId, isOpen: true, attempts: 1, imagesPerS: null });
  expect(teacher!.slotMs.gpu).toBe(0);
  expect(teacher!.slotMs.cpu).toBeGreaterThanOrEqual(3_600_000);
});

test('the number of classes follows from that of the parameters, also when no host has the dataset any more', () => {
  for (const classes of [2, 10, 1000])
    expect(classesOf('resnet18_w8', networkCost('resnet18_w8', 24, classes).parameters)).toBe(classes);
  expect(classesOf('resnet18_w8', 1234)).toBeNull();
  expect(classesOf('resnet18_w8', null)).toBeNull();
});

test('there is nothing of a study that there is not', async () => {
  expect(await loadStudyCosts(hub.pool, 'stu_none')).toEqual([]);
});
