/** A prefilled study from its design to its last student: one host trains the teacher and labels, another one trains the student. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configFeatures } from '@mealtable/protocol/config-features';
import type { StudyDesign } from '@mealtable/protocol/study-design';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendRecords } from '../../server/metrics/store.ts';
import { AttemptDir } from '../../trainer/agent/attempt-dir.ts';
import { BlobCache } from '../../trainer/agent/blob-cache.ts';
import { BlobClient } from '../../trainer/agent/blob-client.ts';
import { agentLimits } from '../../trainer/agent/limits.ts';
import { fetchInputs, makeJob } from '../../trainer/agent/prepare-inputs.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { RecordWriter } from '../../trainer/train/record-writer.ts';
import { runAttempt } from '../../trainer/train/run-attempt.ts';
import { type BundledPrograms, bundleTrainer } from '../support/bundle.ts';
import { addHost, addStudy, claimOne, ended, smallDesign, statusOf } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { makeImageFolder } from '../support/image-folder.ts';
import { setUpTensorFlow } from '../support/tensors.ts';
import { checkpointPath, metricsOf, recordsOf } from '../support/trainer-process.ts';

// With one thread TensorFlow adds in one order, so that equal can mean equal to the bit.
await loadRuntime({ ...process.env, MEALTABLE_THREADS: '1' });
await setUpTensorFlow();

const VIEWS = 2;
const never = new AbortController().signal;
let programs: BundledPrograms;
let hub: TestHub;
let root: string;
beforeAll(async () => {
  [programs, hub] = await Promise.all([bundleTrainer(), startTestHub()]);
  root = mkdtempSync(join(tmpdir(), 'prefilled-study-'));
  const classes = Array.from({ length: 10 }, (_, i) => `${i}`);
  await makeImageFolder(join(root, 'dataset'), { classes, train: 4, val: 1, size: 24 });
});
afterAll(async () => {
  await hub.close();
  await programs.remove();
  rmSync(root, { recursive: true });
});

/** A host with a disk of its own: does what an agent and its trainer do with one run. */
async function startHost(name: string) {
  const hostId = await addHost(hub.hub, { name, configFeatures: [...configFeatures()] });
  const { token } = await hub.addToken({ kind: 'agent', label: name }, null);
  const cache = new BlobCache(join(root, name, 'blobs'), 1e9);
  const blobs = new BlobClient({ hub: hub.url, token, cache, limits: agentLimits, log: () => {} });
  const labels = join(root, name, 'labels');
  return async function work() {
    const grant = await claimOne(hub.hub, hostId);
    const dir = new AttemptDir(join(root, name), grant);
    mkdirSync(dir.path, { recursive: true });
    dir.create(grant);
    const job = makeJob(grant, dir, join(root, 'dataset'), 1);
    if (typeof job === 'string') throw new Error(job);
    expect(await fetchInputs(grant, dir, blobs, never, labels)).toEqual({ ok: true });
    const records = RecordWriter.open(dir.records);
    try {
      const context = { records, imageWorkerUrl: programs.imageWorkerUrl, shouldStop: () => false };
      await runAttempt({ attemptDir: dir.path, job, ...context, labelsFolder: labels });
    } finally {
      records.close();
    }
    const told = recordsOf(dir.path);
    const last = told.findLast((record) => record.kind === 'checkpoint')!;
    for (const file of last.files)
      expect(await blobs.upload(checkpointPath(dir.path, last, file.name), file, never)).toEqual({ kind: 'stored' });
    const end = { seq: told.length + 1, at: Date.now(), ...ended() };
    await appendRecords(hub.hub, grant.runId, grant.attempt, [...told, end as (typeof told)[number]]);
    expect(await statusOf(hub.hub, grant.runId)).toBe('succeeded');
    return { grant, dir: dir.path };
  };
}

const seriesOf = (dir: string, name: string) =>
  metricsOf(dir).flatMap(({ values }) => (name in values ? [Number(values[name])] : []));

test('the student has the very numbers of one that labelled for itself, and never asked its teacher', {
  timeout: 400_000,
}, async () => {
  const options = { viewsPerImage: VIEWS, augmentationSeed: 0, keep: 'full' as const };
  const base = smallDesign();
  const planned = base.planned.map((teacher) => ({ ...teacher, network: 'resnet18_w8' as const, epochs: 1 }));
  const design: StudyDesign = { ...base, planned, epochs: VIEWS, softLabels: { mode: 'prefill', ...options } };
  const strong = await startHost('strong');
  await addStudy(hub.hub, design);
  const teacher = await strong();
  const labelling = await strong();
  expect([teacher, labelling].map(({ grant }) => grant.config.task)).toEqual(['classification', 'labelling']);
  expect(seriesOf(labelling.dir, 'labels/coverage').at(-1)).toBe(100);

  const small = await startHost('small');
  const student = await small();
  expect(student.grant.config).toMatchObject({ softLabels: { mode: 'cached', labelledBy: [labelling.grant.runId] } });
  const hits = seriesOf(student.dir, 'labels/hit_rate');
  expect(new Set(hits)).toEqual(new Set([100]));

  await addStudy(hub.hub, {
    ...design,
    planned: [],
    softLabels: { mode: 'cached', ...options },
    factors: { ...design.factors, teachers: [[{ kind: 'run', runId: teacher.grant.runId }]] },
  });
  const alone = await startHost('alone');
  const itself = await alone();
  expect(new Set(seriesOf(itself.dir, 'labels/hit_rate'))).toEqual(new Set([0]));
  for (const name of ['train/similarity_loss', 'train/discriminator_loss', 'val/loss', 'val/top1']) {
    expect(seriesOf(student.dir, name).length).toBeGreaterThan(0);
    expect(seriesOf(student.dir, name)).toEqual(seriesOf(itself.dir, name));
  }
});
