import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { loadRunDetail } from '../../server/runs/detail.ts';
import { requestCancel } from '../../server/runs/lifecycle-user.ts';
import { transact } from '../../server/runs/transaction.ts';
import { extendStudy } from '../../server/studies/extend.ts';
import { listStudies } from '../../server/studies/list.ts';
import { cancelStudy, cloneDesign, removeStudy, renameStudy, setReference } from '../../server/studies/manage.ts';
import { loadTeacherOptions } from '../../server/studies/teachers.ts';
import { loadStudyView } from '../../server/studies/view.ts';
import {
  addHost,
  addStudy,
  type Core,
  type CoreHub,
  createCore,
  ended,
  logLine,
  makeDataset,
  makeDesign,
  metrics,
  plannedRef,
  runsOf,
  ScriptedAttempt,
  smallDesign,
  started,
  statusOf,
  succeed,
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

const statusesOf = async (studyId: string) => (await loadStudyView(hub.pool, studyId)).runs.map((run) => run.status);
const problemsOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (e: { problems?: { path: string }[] }) => e,
  );
  return error?.problems?.map((p) => p.path);
};

describe('creating', () => {
  test('stores study, variants, runs and what waits for what, and tells pages and agents', async () => {
    await addHost(hub);
    const events: unknown[] = [];
    hub.bus.on('study:changed', (event) => events.push(event));
    hub.bus.on('agents:nudge', (hostId) => events.push(hostId));
    const studyId = await addStudy(hub, makeDesign(), 'Zürich \0 one');
    expect(events).toEqual([{ studyId }, null]);
    const view = await loadStudyView(hub.pool, studyId);
    expect(view).toMatchObject({ name: 'Zürich \ufffd one', design: makeDesign() });
    expect(view.rows.map((r) => r.role)).toEqual(['teacher', 'teacher', ...['baseline'], ...Array(4).fill('student')]);
    expect(view.runs).toHaveLength(12);
    expect(view.runs.at(-1)?.waitingFor.map((w) => w.label)).toEqual(['a (resnet18_w16)', 'b (resnet18_w16)']);
    expect(view.referenceVariantId).toBe(view.rows[2]?.variantId);
  });

  test('a design that cannot be run is refused with every field, and stores nothing', async () => {
    const design = makeDesign({ seeds: [1, 1] });
    expect(await problemsOf(addStudy(hub, design))).toEqual(['dataset', 'seeds']);
    expect(await listStudies(hub.pool)).toEqual([]);
  });

  test('a dataset with problems is refused with its own sentence', async () => {
    await addHost(hub, { datasets: [makeDataset({ problems: ['val/ has no images.'] })] });
    await expect(addStudy(hub)).rejects.toThrow('bench: val/ has no images.');
  });

  test('an existing run teaches when it has succeeded, and its class count is compared', async () => {
    const hostId = await addHost(hub, {
      datasets: [makeDataset(), makeDataset({ name: 'three', classNames: ['a', 'b', 'c'] })],
    });
    await addStudy(hub, smallDesign(), 'First');
    const [grant] = await claimRuns(hub, hostId, 1);
    const factors = {
      teachers: [[{ kind: 'run' as const, runId: grant!.runId }]],
      discriminator: [true],
      inputSize: [24],
    };
    const design = makeDesign({ planned: [], baseline: false, factors, seeds: [1] });
    await expect(addStudy(hub, design)).rejects.toThrow('Teacher "a (First)" has no finished training.');
    await succeed(hub, grant!);
    const studyId = await addStudy(hub, design);
    expect((await loadStudyView(hub.pool, studyId)).rows[0]?.label).toBe('a (First) · discriminator on · 24 px');
    expect((await loadStudyView(hub.pool, studyId)).runs[0]?.waitingFor).toEqual([]);
    await expect(addStudy(hub, { ...design, dataset: 'three' })).rejects.toThrow('knows 10 classes, but three has 3');
    await hub.pool.query("UPDATE hosts SET report = jsonb_set(report, '{datasets}', report->'datasets' #- '{0}')");
    expect(await loadTeacherOptions(hub.pool, null)).toEqual([]);
  });
});

describe('extending', () => {
  test('adds seeds and levels, touches nothing that exists, and the new runs wait for the old teachers', async () => {
    const hostId = await addHost(hub);
    const studyId = await addStudy(hub);
    const [teacher] = await claimRuns(hub, hostId, 1);
    await succeed(hub, teacher!);
    const before = await loadStudyView(hub.pool, studyId);
    expect(await extendStudy(hub, studyId, makeDesign({ baseline: false }))).toEqual({ addedRuns: 1 + 7 });
    const after = await loadStudyView(hub.pool, studyId);
    expect(after.rows.map((r) => r.label)).toEqual([
      'a (resnet18_w16)',
      'b (resnet18_w16)',
      'a · discriminator on · 24 px',
      'a · discriminator off · 24 px',
      'a + b · discriminator on · 24 px',
      'a + b · discriminator off · 24 px',
    ]);
    for (const run of before.runs) expect(after.runs.find((r) => r.id === run.id)).toEqual(run);
    expect(after.design.seeds).toEqual([1, 2]);
    const claimed = (await claimRuns(hub, hostId, 64)).map((g) => g.label);
    expect(claimed).toEqual([
      'study: a · discriminator on · 24 px, seed 1',
      'study: b (resnet18_w16), seed 1',
      'study: a · discriminator on · 24 px, seed 2',
      'study: a · discriminator off · 24 px, seed 1',
      'study: a · discriminator off · 24 px, seed 2',
    ]);
  });

  test('the same design adds nothing; a smaller one is refused', async () => {
    await addHost(hub);
    const studyId = await addStudy(hub, makeDesign());
    expect(await extendStudy(hub, studyId, makeDesign())).toEqual({ addedRuns: 0 });
    expect(await problemsOf(extendStudy(hub, studyId, makeDesign({ seeds: [2], epochs: 9 })))).toEqual([
      'epochs',
      'seeds',
    ]);
    await expect(extendStudy(hub, hub.ids('study'), makeDesign())).rejects.toThrow(/There is no study/);
  });

  test('a new run whose teacher has failed already fails at once and says why; retrying the teacher queues both', async () => {
    const hostId = await addHost(hub);
    const studyId = await addStudy(hub);
    const [grant] = await claimRuns(hub, hostId, 1);
    await new ScriptedAttempt(hub, grant!).send(started(), ended({ outcome: 'failed', failureCode: 'diverged' }));
    await extendStudy(hub, studyId, { ...smallDesign(), seeds: [1, 2] });
    const view = await loadStudyView(hub.pool, studyId);
    expect(view.runs.map((r) => r.failureCode)).toEqual(['diverged', 'dependency_failed', 'dependency_failed']);
  });

  test('two extensions at once make each run once', async () => {
    await addHost(hub);
    const studyId = await addStudy(hub);
    const wider = { ...smallDesign(), seeds: [1, 2, 3] };
    const added = await Promise.all([extendStudy(hub, studyId, wider), extendStudy(hub, studyId, wider)]);
    expect(added.map((a) => a.addedRuns).sort()).toEqual([0, 2]);
    expect(await runsOf(hub, studyId)).toHaveLength(4);
  });
});

describe('a whole study', () => {
  test('is renamed, gets another reference, and is cloned as a design', async () => {
    await addHost(hub);
    const studyId = await addStudy(hub, makeDesign());
    await renameStudy(hub, studyId, 'Other', 'Notes.');
    const last = (await loadStudyView(hub.pool, studyId)).rows.at(-1)!;
    await setReference(hub, studyId, last.variantId);
    const view = await loadStudyView(hub.pool, studyId);
    expect(view).toMatchObject({ name: 'Other', notes: 'Notes.', referenceVariantId: last.variantId });
    expect(view.rows.filter((r) => r.isReference)).toHaveLength(1);
    expect(await cloneDesign(hub.pool, studyId)).toEqual({ name: 'Other (copy)', design: makeDesign() });
    expect((await cloneDesign(hub.pool, studyId, { copyName: 'Mine' })).name).toBe('Mine');

    const foreign = (await loadStudyView(hub.pool, await addStudy(hub))).rows[0]!;
    await expect(setReference(hub, studyId, foreign.variantId)).rejects.toThrow(/has no variant/);
    const unknown = hub.ids('study');
    for (const work of [
      () => renameStudy(hub, unknown, 'x', ''),
      () => cloneDesign(hub.pool, unknown),
      () => loadStudyView(hub.pool, unknown),
      () => cancelStudy(hub, unknown),
      () => removeStudy(hub, unknown),
    ])
      await expect(work()).rejects.toThrow(/There is no study/);
  });

  test('is cancelled: what waits at once, as cancelled and not as failed; what runs when its host says so', async () => {
    const hostId = await addHost(hub);
    const studyId = await addStudy(hub);
    const [grant] = await claimRuns(hub, hostId, 1);
    expect(await cancelStudy(hub, studyId)).toEqual({ cancelled: 2 });
    expect(await statusesOf(studyId)).toEqual(['claimed', 'cancelled']);
    await new ScriptedAttempt(hub, grant!).send(ended({ outcome: 'cancelled' }));
    expect(await statusesOf(studyId)).toEqual(['cancelled', 'cancelled']);
    expect(await cancelStudy(hub, studyId)).toEqual({ cancelled: 0 });
  });

  test('is removed with all it had, but not while something is on a host', async () => {
    const hostId = await addHost(hub);
    const studyId = await addStudy(hub);
    const [grant] = await claimRuns(hub, hostId, 1);
    const trainer = new ScriptedAttempt(hub, grant!);
    await trainer.send(started(), metrics(1, { 'a/b': 1 }), logLine('x'));
    await expect(removeStudy(hub, studyId)).rejects.toThrow('1 of its runs are on a host.');
    await trainer.send(ended({ outcome: 'failed', failureCode: 'diverged' }));
    await removeStudy(hub, studyId);
    const tables = [
      'studies',
      'variants',
      'runs',
      'run_attempts',
      'run_dependencies',
      'metric_series',
      ...METRIC_TABLES,
      'log_lines',
    ];
    for (const table of tables) {
      const { rows } = await hub.pool.query(`SELECT count(*)::int AS n FROM ${table}`);
      expect([table, rows[0].n]).toEqual([table, 0]);
    }
    expect(await trainer.send(logLine('late'))).toMatchObject({ ok: true, fenced: true });
  });

  test('is not removed while an unfinished run of another one needs its networks', async () => {
    const hostId = await addHost(hub);
    const studyId = await addStudy(hub);
    const [grant] = await claimRuns(hub, hostId, 1);
    await succeed(hub, grant!);
    const teachers = [[{ kind: 'run' as const, runId: grant!.runId }]];
    const factors = { teachers, discriminator: [true], inputSize: [24] };
    const user = await addStudy(hub, makeDesign({ planned: [], baseline: false, factors, seeds: [1] }), 'The user');
    await transact(hub, async (tx) => requestCancel(tx, await runsOf(hub, studyId)));
    await expect(removeStudy(hub, studyId)).rejects.toThrow(
      'Unfinished runs of "The user" need networks of this study',
    );
    await cancelStudy(hub, user);
    await removeStudy(hub, studyId);
  });
});

describe('the table and the lists', () => {
  test('a table fills as runs succeed', async () => {
    const hostId = await addHost(hub);
    const studyId = await addStudy(
      hub,
      makeDesign({ planned: [], seeds: [1, 2], ...oneTeacher(await teacherRun(hostId)) }),
    );
    const grants = await claimRuns(hub, hostId, 64);
    const top1 = new Map(grants.map((g, i) => [g.runId, [80, 82, 85, 85.5][i]!]));
    for (const grant of grants) await succeed(hub, grant, top1.get(grant.runId));
    const { rows } = await loadStudyView(hub.pool, studyId);
    expect(rows.map((r) => [r.role, r.n, r.mean, r.difference?.mean, r.difference?.n, r.isBest])).toEqual([
      ['baseline', 2, 81, undefined, undefined, false],
      ['student', 2, 85.25, 4.25, 2, true],
    ]);
    expect(rows[1]?.std).toBeCloseTo(Math.SQRT1_2 / 2, 10);
    expect(rows[1]?.bestEpoch).toBe(3);
    expect((await listStudies(hub.pool))[0]).toMatchObject({
      id: studyId,
      dataset: 'digits',
      studentNetwork: 'resnet18_w8',
      runCount: 4,
      counts: { queued: 0, claimed: 0, running: 0, succeeded: 4, failed: 0, cancelled: 0 },
      bestMeanTop1: 85.25,
      bestVariantLabel: rows[1]?.label,
    });
    expect((await loadTeacherOptions(hub.pool, 'digits')).map((t) => [t.top1, t.succeeded])).toEqual([
      [90, true],
      [85.5, true],
      [85, true],
      [82, true],
      [80, true],
      [null, false],
    ]);
  });

  const oneTeacher = (runId: string) => ({
    factors: { teachers: [[{ kind: 'run' as const, runId }]], discriminator: [true], inputSize: [24] },
  });
  async function teacherRun(hostId: string): Promise<string> {
    const design = makeDesign({
      ...smallDesign(),
      factors: { teachers: [[plannedRef('a')]], discriminator: [false], inputSize: [24] },
    });
    const studyId = await addStudy(hub, design, 'Teachers');
    const [grant] = await claimRuns(hub, hostId, 1);
    await succeed(hub, grant!);
    const [, student] = await runsOf(hub, studyId);
    await hub.pool.query('UPDATE runs SET held_at = now() WHERE id = $1', [student]);
    expect(await statusOf(hub, student!)).toBe('queued');
    return grant!.runId;
  }

  test('the list of studies counts 10,000 runs', async () => {
    await addHost(hub);
    const seeds = Array.from({ length: 490 }, (_, i) => i);
    const big = { ...smallDesign(), seeds };
    for (let i = 0; i < 21; i++) await addStudy(hub, big, `study ${i}`);
    await hub.pool.query(
      "UPDATE runs SET status = 'succeeded', best_top1 = 50 + seed % 40, best_epoch = 1 WHERE role = 'student' AND seed % 3 = 0",
    );
    await hub.pool.query('ANALYZE');
    const list = await listStudies(hub.pool);
    expect(list.reduce((n, s) => n + s.runCount, 0)).toBe(21 * 491);
  });

  test('the page of one run: what it is, what it has, and an error for one that is not there', async () => {
    const hostId = await addHost(hub);
    await addStudy(hub);
    const [grant] = await claimRuns(hub, hostId, 1);
    await succeed(hub, grant!);
    const run = await loadRunDetail(hub.pool, grant!.runId);
    expect(run).toMatchObject({ config: grant!.config, metrics: ['val/top1'], hostName: 'bench', waitingFor: [] });
    expect(run.checkpoints[0]).toMatchObject({ isBest: true, isLatest: true, complete: true });
    expect(run.checkpoints[0]?.files.map((f) => f.url)).toContain(
      `/api/checkpoints/${run.checkpoints[0]?.id}/model.safetensors`,
    );
    await expect(loadRunDetail(hub.pool, hub.ids('run'))).rejects.toThrow(/There is no run/);
  });
});
