/** Evaluations in the hub: created, claimed, listed with what they are held against, removed. */
import { NewEvaluation } from '@mealtable/protocol/evaluation';
import { findClassProblem } from '@mealtable/protocol/imagenet-classes';
import { IMAGENET_SYNSETS } from '@mealtable/protocol/imagenet-synsets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEvaluation } from '../../server/evaluations/create.ts';
import { listEvaluations } from '../../server/evaluations/list.ts';
import { removeEvaluation } from '../../server/evaluations/remove.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { loadRunDetail } from '../../server/runs/detail.ts';
import { listStudies } from '../../server/studies/list.ts';
import { removeStudy } from '../../server/studies/manage.ts';
import { loadTeacherOptions } from '../../server/studies/teachers.ts';
import { loadStudyView } from '../../server/studies/view.ts';
import {
  addHost,
  addStudy,
  type Core,
  type CoreHub,
  claimOne,
  createCore,
  ended,
  makeCheckpoint,
  makeDataset,
  metrics,
  ScriptedAttempt,
  started,
  statusOf,
  succeed,
  uploadCheckpoint,
} from '../support/core.ts';
import { METRIC_TABLES } from '../support/stored-points.ts';

let core: Core;
let hub: CoreHub;
beforeAll(async () => {
  core = await createCore();
  hub = core.hub;
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const classNames = Array.from({ length: 1000 }, (_, i) => `n${i}`);
const imagenet = makeDataset({ name: 'imagenet', classNames });
const weights = 'resnet50.a1_in1k';
const published = (more: Partial<NewEvaluation> = {}) =>
  NewEvaluation.parse({ source: { kind: 'pretrained', weights }, dataset: 'imagenet', inputSize: 224, ...more });
const problemsOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: { problems?: unknown }) => error.problems,
  );

/** A run with one checkpoint, still training: its id and the checkpoint's. */
async function trainedCheckpoint(hostId: string, top1 = 71.5) {
  await addStudy(hub);
  const grant = await claimOne(hub, hostId);
  const trainer = new ScriptedAttempt(hub, grant);
  const checkpoint = makeCheckpoint(hub, 10, top1);
  await trainer.send(started(), metrics(10, { 'val/top1': top1 }), checkpoint.record);
  await uploadCheckpoint(hub, checkpoint);
  return { runId: grant.runId, checkpoint: checkpoint.record, trainer };
}

describe('of published weights', () => {
  test('are claimed with the preprocessing of the publication, and end without a checkpoint', async () => {
    const host = await addHost(hub, { datasets: [imagenet] });
    const runId = await createEvaluation(hub, published(), null);
    const grant = await claimOne(hub, host);
    expect(grant).toMatchObject({
      runId,
      label: `Evaluations: ${weights} · imagenet · 224 px, seed 0`,
      initialisation: null,
    });
    expect(grant.config).toMatchObject({
      task: 'evaluation',
      network: 'resnet50',
      batchSize: 64,
      preprocessing: { cropFraction: 0.95, interpolation: 'bicubic' },
    });
    const trainer = new ScriptedAttempt(hub, grant);
    await trainer.send(started(), metrics(5, { 'evaluation/images_per_s': 100 }));
    expect((await listEvaluations(hub.pool))[0]).toMatchObject({ top1: null, top5: null, run: { status: 'running' } });
    await trainer.send(metrics(30, { 'val/top1': 80.1, 'val/top5': 94.5, 'val/loss': 0.93 }), ended());
    expect(await statusOf(hub, runId)).toBe('succeeded');
    const [row] = await listEvaluations(hub.pool);
    expect(row).toMatchObject({ top1: 80.1, top5: 94.5, loss: 0.93, dataset: 'imagenet' });
    expect(row?.expected).toEqual({ top1: 80.382, top5: 94.598, inputSize: 224 });
    expect((await loadRunDetail(hub.pool, runId)).config.task).toBe('evaluation');
  });

  test('are refused with every problem and its field', async () => {
    await addHost(hub, { datasets: [makeDataset()] });
    expect(await problemsOf(createEvaluation(hub, published({ dataset: 'nowhere' }), null))).toEqual([
      { path: 'dataset', message: 'No host has a dataset named "nowhere". Attach one, or choose another dataset.' },
    ]);
    expect(await problemsOf(createEvaluation(hub, published({ dataset: 'digits' }), null))).toEqual([
      {
        path: 'dataset',
        message: `${weights} knows 1000 classes, but digits has 10. Evaluate on a dataset of the same classes.`,
      },
    ]);
    expect(await listEvaluations(hub.pool)).toEqual([]);
  });

  test('measured again stand beside each other, in no list of studies and among no teachers', async () => {
    const host = await addHost(hub, { datasets: [imagenet] });
    await Promise.all([1, 2, 3].map(() => createEvaluation(hub, published(), null)));
    const evaluations = await listEvaluations(hub.pool);
    expect(evaluations.map(({ run }) => run.seed).sort()).toEqual([0, 1, 2]);
    expect(new Set(evaluations.map(({ run }) => run.variantId)).size).toBe(1);
    await new ScriptedAttempt(hub, await claimOne(hub, host)).send(started(), ended());
    expect(await listStudies(hub.pool)).toEqual([]);
    expect(await loadTeacherOptions(hub.pool, null)).toEqual([]);
    const { studyId } = evaluations[0]!.run;
    await expect(loadStudyView(hub.pool, studyId)).rejects.toMatchObject({ code: 'not_found' });
    await expect(removeStudy(hub, studyId)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('on validation images alone', () => {
  const half = makeDataset({ trainCount: 0 });

  test('a host that has no others gets evaluations, and nothing that trains', async () => {
    const { runId, checkpoint } = await trainedCheckpoint(await addHost(hub));
    await addStudy(hub);
    const host = await addHost(hub, { name: 'half', datasets: [half] });
    expect(await claimRuns(hub, host, 64)).toEqual([]);
    const source = { kind: 'run' as const, runId, checkpointId: checkpoint.checkpointId };
    const id = await createEvaluation(hub, NewEvaluation.parse({ source, dataset: 'digits', inputSize: 24 }), null);
    expect((await claimRuns(hub, host, 64)).map((grant) => grant.runId)).toEqual([id]);
  });

  test('a study is refused with a sentence, until a host can train', async () => {
    await addHost(hub, { name: 'half', datasets: [half] });
    expect(await problemsOf(addStudy(hub))).toEqual([
      { path: 'dataset', message: expect.stringMatching(/^digits has validation images alone: .* not to train on\./) },
    ]);
    await addHost(hub);
    await addStudy(hub);
  });
});

describe('on classes that are not ImageNet’s', () => {
  const others = IMAGENET_SYNSETS.map((name, i) => (i === 0 ? 'n00000001' : name));
  test.each([
    ['other synsets', others, /lacks n01440764 and has n00000001, which ImageNet-1k has not\.$/],
    ['too few', IMAGENET_SYNSETS.slice(1), /has 999\. Evaluate on .* lacks n01440764\.$/],
    ['another order', [...IMAGENET_SYNSETS].reverse(), /in another order: class 0 is n15075141, not n01440764\./],
    [
      'numbers sorted as text',
      others.map((_, i) => String(i)).sort(),
      /^Class 2 of the dataset is named "10": .* 0000 to/,
    ],
  ])('published weights are refused: %s', async (_what, names, message) => {
    await addHost(hub, { datasets: [makeDataset({ name: 'imagenet', classNames: [...names], trainCount: 0 })] });
    expect(await problemsOf(createEvaluation(hub, published(), null))).toEqual([
      { path: 'dataset', message: expect.stringMatching(message) },
    ]);
  });

  test('names that tell nothing are only a doubt; ImageNet’s own and the numbers of shards are none', () => {
    expect(findClassProblem(classNames)).toMatchObject({ certain: false });
    expect(findClassProblem(IMAGENET_SYNSETS)).toBeNull();
    expect(findClassProblem(classNames.map((_, i) => String(i)))).toBeNull();
    expect(findClassProblem(classNames.map((_, i) => String(i).padStart(4, '0')))).toBeNull();
  });
});

describe('of a checkpoint', () => {
  test('get exactly this checkpoint, even of a run that still trains, and are held against its own top-1', async () => {
    const host = await addHost(hub);
    const { runId, checkpoint } = await trainedCheckpoint(host);
    const source = { kind: 'run' as const, runId, checkpointId: checkpoint.checkpointId };
    const id = await createEvaluation(hub, NewEvaluation.parse({ source, dataset: 'digits', inputSize: 24 }), null);
    const grant = await claimOne(hub, host);
    expect(grant.runId).toBe(id);
    expect(grant.initialisation).toEqual({
      runId,
      network: 'resnet18_w16',
      classCount: 10,
      file: checkpoint.files.find(({ name }) => name === 'model.safetensors'),
    });
    const [row] = await listEvaluations(hub.pool);
    expect(row?.run.variantLabel).toBe('a (study), epoch 1 · digits · 24 px');
    expect(row?.expected).toEqual({ top1: 71.5, top5: null, inputSize: 24 });
  });

  test('keep it from being replaced by a newer one until they have ended', async () => {
    const host = await addHost(hub);
    const { runId, checkpoint, trainer } = await trainedCheckpoint(host);
    const best = makeCheckpoint(hub, 20, 80);
    const latest = makeCheckpoint(hub, 30, 75);
    const source = { kind: 'run' as const, runId, checkpointId: checkpoint.checkpointId };
    await createEvaluation(hub, NewEvaluation.parse({ source, dataset: 'digits', inputSize: 24 }), null);
    for (const next of [best, latest]) {
      await trainer.send(next.record);
      await uploadCheckpoint(hub, next);
    }
    const kept = async () => (await loadRunDetail(hub.pool, runId)).checkpoints.map(({ id }) => id);
    expect(await kept()).toContain(checkpoint.checkpointId);
    const studyId = (await loadRunDetail(hub.pool, runId)).studyId;
    await trainer.send(ended());
    await expect(removeStudy(hub, studyId)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('that is gone are refused, and fail as weights_missing when it went later', async () => {
    const host = await addHost(hub);
    const { runId, checkpoint } = await trainedCheckpoint(host);
    const source = { kind: 'run' as const, runId, checkpointId: hub.ids('checkpoint') };
    const ask = NewEvaluation.parse({ source, dataset: 'digits', inputSize: 24 });
    expect(await problemsOf(createEvaluation(hub, ask, null))).toMatchObject([{ path: 'source' }]);
    const good = { ...ask, source: { ...source, checkpointId: checkpoint.checkpointId } };
    const id = await createEvaluation(hub, good, null);
    await hub.pool.query('DELETE FROM checkpoints');
    await expect(claimOne(hub, host)).rejects.toThrow('nothing to claim');
    expect(await loadRunDetail(hub.pool, id)).toMatchObject({ status: 'failed', failureCode: 'weights_missing' });
  });
});

test('removing takes the run and its points, but none that a host works on', async () => {
  const host = await addHost(hub, { datasets: [imagenet, makeDataset()] });
  const id = await createEvaluation(hub, published(), null);
  const grant = await claimOne(hub, host);
  await expect(removeEvaluation(hub, id)).rejects.toMatchObject({ code: 'conflict' });
  await new ScriptedAttempt(hub, grant).send(started(), metrics(30, { 'val/top1': 80 }), ended());
  await removeEvaluation(hub, id);
  await expect(removeEvaluation(hub, id)).rejects.toMatchObject({ code: 'not_found' });
  for (const table of ['runs', 'variants', ...METRIC_TABLES])
    expect((await hub.pool.query(`SELECT 1 FROM ${table}`)).rowCount).toBe(0);
  await addStudy(hub);
  const training = await claimOne(hub, host);
  await succeed(hub, training);
  await expect(removeEvaluation(hub, training.runId)).rejects.toMatchObject({ code: 'not_found' });
});
