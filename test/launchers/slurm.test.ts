/** A study bound to a cluster on a real Slurm: one job for each run, as the hub's queue and people want it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LauncherSettings } from '@mealtable/protocol/launchers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestCancel } from '../../server/runs/lifecycle-user.ts';
import { transact } from '../../server/runs/transaction.ts';
import { loadQueue } from '../../server/runs/waiting.ts';
import { createStudy } from '../../server/studies/create.ts';
import { makeSmallProject, type SmallProject } from '../launch/support/small-project.ts';
import { makeReport } from '../support/core.ts';
import type { TestHub } from '../support/hub.ts';
import { closeSockets, connectAgent } from '../support/scripted-agent.ts';
import { startSlurm } from '../support/slurm.ts';
import { callerAs, shortDesign, startLaunchHub } from './support.ts';

/** Cases that wait for Slurm again and again: `npm run test:launchers`. */
const isLong = process.env.MEALTABLE_LAUNCHERS === '1';
const slurm = await startSlurm();
const folder = mkdtempSync(path.join(tmpdir(), 'mealtable-cluster-'));
let test: TestHub;
let project: SmallProject;
let api: Awaited<ReturnType<typeof callerAs>>;
let id: string;

const settings = (batch: object = {}, more: object = {}) =>
  LauncherSettings.parse({ kind: 'slurm', installFolder: `${folder}/install`, batch, ...more });
const view = async () => (await api().launchers.list()).launchers.find((launcher) => launcher.id === id)!;
const jobs = async () => api().launchers.jobs({ id });
const statuses = async (studyId: string) =>
  (await test.hub.db.run.findMany({ where: { studyId }, orderBy: { createdAt: 'asc' } })).map(({ status }) => status);
const soon = { timeout: 120_000, interval: 200 };

async function addStudy(labels: string[]): Promise<string> {
  const studyId = await createStudy(test.hub, { name: 's', notes: '', design: shortDesign(), createdById: null });
  await test.hub.pool.query('UPDATE runs SET required_labels = $2 WHERE study_id = $1', [studyId, labels]);
  return studyId;
}
const cancelAll = async (studyId: string) => {
  const runs = await test.hub.db.run.findMany({ where: { studyId } });
  await transact(test.hub, (tx) =>
    requestCancel(
      tx,
      runs.map((run) => run.id),
    ),
  );
};

describe.runIf(slurm !== null)('a cluster', () => {
  beforeAll(async () => {
    project = await makeSmallProject({ withData: true });
    test = await startLaunchHub(project.root, slurm!.env);
    api = await callerAs(test, 'owner');
    // An ordinary host, which also tells the hub of the dataset.
    const host = await connectAgent(test);
    await host.hello([], makeReport());
    id = (await api().launchers.add({ name: 'cluster-a', settings: settings({ gres: 'gpu:1', timeLimit: '10' }) })).id;
  });
  afterAll(async () => {
    closeSockets();
    await test?.close();
    await slurm?.close();
    project?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gets the runs that ask for it, each as one job, through a restart of the hub; other hosts do not', async () => {
    const host = await connectAgent(test);
    await host.hello([], { ...makeReport(), name: 'greedy' });
    const studyId = await addStudy(['cluster-a']);
    expect(await host.request(1)).toEqual([]);
    await expect.poll(async () => (await jobs()).length, soon).toBeGreaterThan(0);
    closeSockets();
    await test.restart();
    await expect.poll(() => statuses(studyId), soon).toEqual(['succeeded', 'succeeded']);
    await expect.poll(async () => (await jobs()).map(({ state }) => state), soon).toEqual(['ended', 'ended']);
    expect(await jobs()).toMatchObject([
      { endCause: 'exit', exitCode: 0, hasAttached: true, node: expect.stringMatching(/^n[12]$/) },
      { endCause: 'exit', exitCode: 0, hasAttached: true },
    ]);
    const attempts = await test.hub.db.runAttempt.findMany({ where: { run: { studyId } }, include: { host: true } });
    for (const { host: ranOn } of attempts) expect(ranOn?.name).toMatch(/^cluster-a job \d+$/);
    // The cluster stands for its jobs in the list of hosts.
    expect((await api().hosts.list()).filter(({ name }) => name.includes('run_'))).toEqual([]);
    expect((await view()).fault).toBeNull();
  }, 240_000);

  it('is not asked for runs that name another place', async () => {
    const before = (await jobs()).length;
    const elsewhere = await addStudy(['cluster-b']);
    const anywhere = await addStudy([]);
    await api().launchers.look({ id });
    expect((await jobs()).length).toBe(before);
    await cancelAll(elsewhere);
    await cancelAll(anywhere);
  });

  it('says why a job waits, and a cancelled run takes its job out of the queue', async () => {
    for (const node of ['n1', 'n2'])
      slurm!.command('scontrol', 'update', `nodename=${node}`, 'state=drain', 'reason=test');
    const studyId = await addStudy(['cluster-a']);
    await expect
      .poll(async () => (await jobs()).find(({ state }) => state === 'waiting')?.reason, soon)
      .toMatch(/Resources|Nodes|Priority|DOWN|DRAINED/i);
    const waiting = (await jobs()).find(({ state }) => state === 'waiting')!;
    const [item] = (await loadQueue(test.hub.pool, { runId: waiting.runId })).items;
    expect(item?.reasons).toMatchObject([
      { kind: 'cluster', name: 'cluster-a', job: { jobId: waiting.jobId, state: 'waiting', reason: waiting.reason } },
    ]);
    await cancelAll(studyId);
    await expect
      .poll(async () => (await jobs()).find(({ token }) => token === waiting.token), soon)
      .toMatchObject({ state: 'ended', endCause: 'cancelled', hasAttached: false });
    expect(slurm!.command('squeue', '-h', '-t', 'PENDING,RUNNING').trim()).toBe('');
    for (const node of ['n1', 'n2']) slurm!.command('scontrol', 'update', `nodename=${node}`, 'state=resume');
    // What a person took back is no sign of a broken cluster.
    expect((await view()).rest).toBeNull();
  }, 240_000);

  it('shows exactly the script that is submitted', async () => {
    const [job] = await test.hub.db.slurmJob.findMany({ take: 1 });
    const { script } = await api().launchers.dryRun({ id, runId: job!.runId });
    expect(script).toBe(job!.script.replaceAll(job!.token, `${job!.runId}.1`));
    expect(script).toContain("--label 'cluster-a'");
    expect(script).not.toContain('mt_agent_');
  });

  it.runIf(isLong)(
    'saves a checkpoint when the time limit is near, and goes on in the same job',
    async () => {
      const trainer = path.join(project.root, 'dist/trainer.js');
      writeFileSync(trainer, readFileSync(trainer, 'utf8').replace('"everyMs":5,', '"everyMs":500,'));
      await api().launchers.edit({ id, name: 'cluster-a', settings: settings({ gres: 'gpu:1', timeLimit: '20' }) });
      const studyId = await addStudy(['cluster-a']);
      const first = async () =>
        (await test.hub.db.run.findMany({ where: { studyId }, orderBy: { createdAt: 'asc' } }))[0]!;
      await expect.poll(async () => (await first()).status, soon).toBe('running');
      const job = (await jobs()).find(({ state }) => state === 'running')!;
      // What Slurm sends by itself before the time limit.
      slurm!.command('scancel', '--batch', '--signal=USR2', job.jobId!);
      await expect.poll(async () => (await first()).status, soon).toBe('succeeded');
      await expect
        .poll(async () => (await jobs()).find(({ token }) => token === job.token), soon)
        .toMatchObject({ state: 'ended', jobId: job.jobId, restarts: 1, exitCode: 0 });
      expect(
        await test.hub.db.runAttempt.findMany({ where: { runId: (await first()).id }, orderBy: { attempt: 'asc' } }),
      ).toMatchObject([{ outcome: 'interrupted' }, { outcome: 'succeeded' }]);
      await cancelAll(studyId);
    },
    240_000,
  );

  it.runIf(isLong)(
    'rests with a reason after jobs that come to nothing one after the other',
    async () => {
      await api().launchers.edit({
        id,
        name: 'cluster-a',
        settings: settings({ gres: 'gpu:1' }, { nodePath: '/bin/true', installFolder: `${folder}/other` }),
      });
      const studyId = await addStudy(['cluster-a']);
      await expect.poll(async () => (await view()).fault?.code ?? (await view()).rest?.reason, soon).toBe('no_node');
      await api().launchers.edit({ id, name: 'cluster-a', settings: settings({ gres: 'gpu:9' }) });
      await expect
        .poll(async () => (await view()).rest?.reason, soon)
        .toMatch(/^3 jobs in a row came to nothing; the last one said: Slurm refused the job/);
      expect((await jobs()).filter(({ endCause }) => endCause === 'refused')).toHaveLength(3);
      expect(await statuses(studyId)).toEqual(['queued', 'queued']);
      await api().launchers.edit({ id, name: 'cluster-a', settings: settings({ gres: 'gpu:1' }) });
      await api().launchers.wake({ id });
      await expect.poll(() => statuses(studyId), soon).toEqual(['succeeded', 'succeeded']);
    },
    240_000,
  );
});
