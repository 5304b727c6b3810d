import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  makeCheckpoint,
  makeDataset,
  makeDesign,
  metrics,
  plannedRef,
  runsOf,
  ScriptedAttempt,
  started,
  statusOf,
  succeed,
  uploadBlob,
  uploadCheckpoint,
} from '../support/core.ts';
import { storedRecords } from '../support/stored-points.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

describe('which runs a host gets', () => {
  test('in the order of the table, and none whose teacher has not succeeded', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    const runs = await runsOf(hub, await addStudy(hub, makeDesign()));
    const first = await claimRuns(hub, host, 64);
    // Two teachers and two baselines wait for nothing; the eight students need a teacher.
    expect(first.map((g) => g.runId)).toEqual(runs.slice(0, 4));
    await succeed(hub, first[0]!);
    expect((await claimRuns(hub, host, 64)).map((g) => g.runId)).toEqual(runs.slice(4, 8));
    await succeed(hub, first[1]!);
    expect((await claimRuns(hub, host, 64)).map((g) => g.runId)).toEqual(runs.slice(8));
  });

  test('as many as it has free slots, higher priority first, older studies before younger ones', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    const [older] = await runsOf(hub, await addStudy(hub));
    const [younger] = await runsOf(hub, await addStudy(hub));
    const [urgent] = await runsOf(hub, await addStudy(hub));
    await hub.pool.query('UPDATE runs SET priority = 5 WHERE id = $1', [urgent]);
    expect((await claimRuns(hub, host, 2)).map((g) => g.runId)).toEqual([urgent, older]);
    expect((await claimRuns(hub, host, 2)).map((g) => g.runId)).toEqual([younger]);
  });

  test('only of datasets that it has and can use; a held run stays', async () => {
    const { hub } = core;
    const good = await addHost(hub);
    const without = await addHost(hub, { datasets: [makeDataset({ name: 'other' })] });
    const broken = await addHost(hub, { datasets: [makeDataset({ problems: ['train/ is missing.'] })] });
    const [run] = await runsOf(hub, await addStudy(hub));
    expect(await claimRuns(hub, without, 1)).toEqual([]);
    expect(await claimRuns(hub, broken, 1)).toEqual([]);
    expect(await claimRuns(hub, hub.ids('host'), 1)).toEqual([]);
    await hub.pool.query('UPDATE runs SET held_at = now() WHERE id = $1', [run]);
    expect(await claimRuns(hub, good, 1)).toEqual([]);
    await hub.pool.query('UPDATE runs SET held_at = NULL WHERE id = $1', [run]);
    expect(await claimRuns(hub, good, 1)).toHaveLength(1);
  });

  test('P13: two hosts asking at once, again and again, never get the same run', async () => {
    const { hub } = core;
    const hosts = await Promise.all([addHost(hub), addHost(hub), addHost(hub)]);
    const seeds = Array.from({ length: 20 }, (_, i) => i);
    const studyId = await addStudy(hub, makeDesign({ seeds }));
    const asked = await Promise.all(hosts.flatMap((host) => Array.from({ length: 8 }, () => claimRuns(hub, host, 2))));
    const claimed = asked.flat().map((g) => g.runId);
    expect(new Set(claimed).size).toBe(claimed.length);
    expect(claimed.length).toBe(22);
    const { rows } = await hub.pool.query('SELECT count(*)::int AS n FROM run_attempts');
    expect(rows[0]).toEqual({ n: 22 });
    expect(await runsOf(hub, studyId)).toEqual(expect.arrayContaining(claimed));
  });
});

describe('what a grant holds', () => {
  test('config, label, and the best checkpoint of each teacher by hash with its class count', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    await addStudy(hub, makeDesign({ baseline: false, seeds: [1] }), 'Ablation');
    const [a, b] = await claimRuns(hub, host, 2);
    const trainer = new ScriptedAttempt(hub, a!);
    const [worse, best] = [makeCheckpoint(hub, 10, 80), makeCheckpoint(hub, 20, 95)];
    const later = makeCheckpoint(hub, 30, 95, false);
    await trainer.send(started(), worse.record, best.record, later.record);
    for (const checkpoint of [worse, best, later]) await uploadCheckpoint(hub, checkpoint);
    await trainer.send(ended());
    await succeed(hub, b!);

    const students = await claimRuns(hub, host, 9);
    expect(students).toHaveLength(4);
    const both = students.find((g) => g.teachers.length === 2);
    expect(both).toMatchObject({
      attempt: 1,
      label: 'Ablation: a + b · discriminator on · 24 px, seed 1',
      initialisation: null,
      resume: null,
      config: { task: 'distillation', discriminator: true, seed: 1 },
    });
    const file = best.record.files[0];
    expect(both?.teachers[0]).toEqual({ runId: a!.runId, network: 'resnet18_w16', classCount: 10, file });
    expect(both?.config).toMatchObject({
      teachers: [
        { kind: 'run', runId: a!.runId },
        { kind: 'run', runId: b!.runId },
      ],
    });
  });

  test("the class count of the claiming host, whatever another one has under the dataset's name", async () => {
    const { hub } = core;
    const host = await addHost(hub);
    await addStudy(hub);
    await succeed(hub, await claimOne(hub, host));
    await addHost(hub, { name: 'a newcomer', datasets: [makeDataset({ classNames: ['0', '1', '2'] })] });
    expect((await claimOne(hub, host)).teachers[0]?.classCount).toBe(10);
  });

  test('a planned start becomes the initialisation of students and baselines', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    const design = makeDesign({
      student: { network: 'resnet18_w16', initialisation: plannedRef('a') },
      seeds: [1],
      factors: { teachers: [[plannedRef('b')]], discriminator: [true], inputSize: [24] },
    });
    await addStudy(hub, design);
    const planned = await claimRuns(hub, host, 9);
    expect(planned).toHaveLength(2);
    for (const grant of planned) await succeed(hub, grant);
    const rest = await claimRuns(hub, host, 9);
    expect(rest.map((g) => g.config.task)).toEqual(['classification', 'distillation']);
    for (const grant of rest) expect(grant.initialisation?.runId).toBe(planned[0]!.runId);
  });

  test('published teachers and starts are no files of the hub: their names are in the config, and nothing is waited for', async () => {
    const { hub } = core;
    const classNames = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
    const host = await addHost(hub, { datasets: [makeDataset({ classNames })] });
    const teacher = { kind: 'pretrained' as const, weights: 'resnet152s.gluon_in1k' };
    const start = { kind: 'pretrained' as const, weights: 'resnet50.ram_in1k', head: 'keep' as const };
    await addStudy(
      hub,
      makeDesign({
        planned: [],
        baseline: false,
        student: { network: 'resnet50', initialisation: start },
        seeds: [1],
        factors: { teachers: [[teacher]], discriminator: [true], inputSize: [224] },
      }),
    );
    const grant = await claimOne(hub, host);
    expect(grant).toMatchObject({ teachers: [], initialisation: null });
    expect(grant.config).toMatchObject({ teachers: [teacher], initialisation: start });
    expect(grant.label).toContain('resnet152s.gluon_in1k · discriminator on · 224 px');
  });

  test('a teacher whose weights are gone fails the run as weights_missing, before it costs the host anything', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    const [teacher, student] = await runsOf(hub, await addStudy(hub));
    await succeed(hub, await claimOne(hub, host));
    await hub.pool.query('DELETE FROM checkpoints WHERE run_id = $1', [teacher]);
    expect(await claimRuns(hub, host, 1)).toEqual([]);
    const { rows } = await hub.pool.query('SELECT status, failure_code, failure_message FROM runs WHERE id = $1', [
      student,
    ]);
    expect(rows[0]).toMatchObject({ status: 'failed', failure_code: 'weights_missing' });
    expect(rows[0].failure_message).toContain(teacher);
  });
});

describe('the next attempt of a run', () => {
  test('P11: goes on from the latest checkpoint whose files have all arrived, and what lies beyond it never happened', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    const [runId] = await runsOf(hub, await addStudy(hub));
    const rewound: unknown[] = [];
    hub.bus.on('run:rewound', (event) => rewound.push(event));
    const first = new ScriptedAttempt(hub, await claimOne(hub, host));
    const stored = makeCheckpoint(hub, 10, 70);
    const halfway = makeCheckpoint(hub, 20, 85);
    await first.send(
      started(),
      metrics(5, { 'train/loss': 2 }),
      metrics(10, { 'train/loss': 1.5, 'val/top1': 70 }),
      stored.record,
      metrics(15, { 'train/loss': 1.2 }),
      metrics(20, { 'train/loss': 1, 'val/top1': 85 }),
      halfway.record,
    );
    await uploadCheckpoint(hub, stored);
    await uploadBlob(hub, halfway.contents[0]!);
    await first.send(ended({ outcome: 'failed', failureCode: 'trainer_killed', signal: 'SIGKILL' }));
    expect(await statusOf(hub, runId!)).toBe('queued');

    const grant = await claimOne(hub, host);
    expect(grant).toMatchObject({ runId, attempt: 2, resume: { stepsCompleted: 10 } });
    expect(grant.resume?.files.map((f) => f.sha256).sort()).toEqual(stored.record.files.map((f) => f.sha256).sort());
    expect((await storedRecords(hub.pool, runId!)).map(({ step }) => step)).toEqual([5, 10]);
    const { rows } = await hub.pool.query(
      'SELECT steps_completed, best_top1, best_epoch, last_top1 FROM runs WHERE id = $1',
      [runId],
    );
    expect(rows[0]).toEqual({ steps_completed: 10, best_top1: 70, best_epoch: 1, last_top1: 70 });
    expect(rewound).toEqual([{ runId, attempt: 2, stepsCompleted: 10 }]);
  });

  test('brings the best checkpoint’s weights, too, where another is gone on from', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    await addStudy(hub);
    const first = new ScriptedAttempt(hub, await claimOne(hub, host));
    const [best, latest] = [makeCheckpoint(hub, 10, 70), makeCheckpoint(hub, 20, 60)];
    await first.send(started(), metrics(20, { 'val/top1': 60 }), best.record, latest.record);
    for (const one of [best, latest]) await uploadCheckpoint(hub, one);
    await first.send(ended({ outcome: 'interrupted' }));
    const { checkpointId, files } = best.record;
    const file = files.find(({ name }) => name === 'model.safetensors');
    expect(await claimOne(hub, host)).toMatchObject({ resume: { stepsCompleted: 20 }, best: { checkpointId, file } });
  });

  test('starts from nothing without a complete checkpoint, and a model alone is nothing to resume from', async () => {
    const { hub } = core;
    const host = await addHost(hub);
    const [runId] = await runsOf(hub, await addStudy(hub));
    const first = new ScriptedAttempt(hub, await claimOne(hub, host));
    const whole = makeCheckpoint(hub, 10, 70);
    const record = { ...whole.record, files: [whole.record.files[0]!] };
    await first.send(started(), metrics(10, { 'val/top1': 70 }), record);
    await uploadBlob(hub, whole.contents[0]!);
    await first.send(ended({ outcome: 'interrupted' }));
    expect(await claimOne(hub, host)).toMatchObject({ attempt: 2, resume: null });
    const { rows } = await hub.pool.query('SELECT best_top1, last_top1, steps_completed FROM runs WHERE id = $1', [
      runId,
    ]);
    expect(rows[0]).toEqual({ best_top1: null, last_top1: null, steps_completed: 0 });
  });
});
