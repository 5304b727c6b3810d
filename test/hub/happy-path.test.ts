import { createHash } from 'node:crypto';
import type { Grant } from '@mealtable/protocol/agent-messages';
import { type BrowserToHub, type HubToBrowser, LIVE_NAMESPACE } from '@mealtable/protocol/live-messages';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import type { Socket } from 'socket.io-client';
import superjson from 'superjson';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { AppRouter } from '../../server/api/root.ts';
import {
  ended,
  logLine,
  logLinesOf,
  makeCheckpoint,
  makeDesign,
  metrics,
  RecordNumbers,
  started,
  until,
} from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { closeSockets, connectAgent, connectSocket, type ScriptedAgent } from '../support/scripted-agent.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterEach(closeSockets);
afterAll(() => hub.close());

/** The page's client, for a member. */
const clientOf = (cookie: string) =>
  createTRPCClient<AppRouter>({
    links: [httpBatchLink({ url: `${hub.url}/api/trpc`, transformer: superjson, headers: { cookie } })],
  });

/** Trains as a real attempt would: start, points and lines, a checkpoint that is uploaded, and the end after it. */
async function train(agent: ScriptedAgent, grant: Grant, top1: number) {
  const numbers = new RecordNumbers();
  const checkpoint = makeCheckpoint(hub.hub, 30, top1);
  const send = async (...records: Parameters<RecordNumbers['number']>[0][]) => {
    const reply = await agent.records(
      grant,
      records.map((r) => numbers.number(r)),
    );
    expect(reply).toEqual({ ok: true, ackedSeq: numbers.seq, fenced: false });
  };
  await send(started(), logLine('Loading the images.'));
  for (let step = 10; step <= 30; step += 10)
    await send(metrics(step, { 'train/loss': 3 / step }), metrics(step, { 'val/top1': top1 - 30 + step }));
  await send(checkpoint.record);
  await agent.upload(checkpoint);
  await send(ended());
  return checkpoint;
}

test('from the form to the table and the download: an agent, a page and a program', async () => {
  const editor = await hub.addMember('editor');
  const api = clientOf(editor.cookie);
  const agent = await connectAgent(hub);
  await agent.hello([], { name: 'gpu-1', slots: 2 });
  expect((await api.datasets.list.query()).map((d) => [d.name, d.hostNames])).toEqual([['digits', ['gpu-1']]]);

  const design = makeDesign({ seeds: [1, 2] });
  expect(await api.studies.preview.query({ design })).toMatchObject({ ok: true, runCount: 12 });
  const nudged = agent.nextNudge();
  const { id: studyId } = await api.studies.create.mutate({ name: 'Ablation', design });
  await nudged;

  const page = await connectSocket<Socket<HubToBrowser, BrowserToHub>>(
    `${hub.url}${LIVE_NAMESPACE}`,
    {},
    { cookie: editor.cookie },
  );
  await page.emitWithAck('watch', { kind: 'study', studyId });
  const liveStatuses = new Map<string, string>();
  page.on('run:changed', (run) => liveStatuses.set(run.id, run.status));

  // Teachers and baselines can start at once; the students are released by the teachers that they name.
  const top1Of = (grant: Grant) => {
    const { config } = grant;
    if (config.task === 'evaluation' || config.task === 'labelling') throw new Error('Everything is trained here.');
    if (config.task === 'classification') return config.network === 'resnet18_w16' ? 95 : 80 + config.seed;
    return 84 + config.seed + config.teachers.length + (config.discriminator ? 0.5 : 0);
  };
  const order: string[] = [];
  for (let grants = await agent.request(2); grants.length > 0; grants = await agent.request(2))
    for (const grant of grants) {
      order.push(grant.config.task);
      await train(agent, grant, top1Of(grant));
    }
  expect(order.slice(0, 4)).toEqual(Array(4).fill('classification'));
  expect(order.slice(4)).toEqual(Array(8).fill('distillation'));

  const study = await api.studies.get.query({ id: studyId });
  expect(study.runs.map((run) => run.status)).toEqual(Array(12).fill('succeeded'));
  expect(study.rows.map((r) => [r.label, r.n, r.mean, r.difference?.mean ?? null])).toEqual([
    ['a (resnet18_w16)', 1, 95, null],
    ['b (resnet18_w16)', 1, 95, null],
    ['student alone · 24 px', 2, 81.5, null],
    ['a · discriminator on · 24 px', 2, 87, 5.5],
    ['a · discriminator off · 24 px', 2, 86.5, 5],
    ['a + b · discriminator on · 24 px', 2, 88, 6.5],
    ['a + b · discriminator off · 24 px', 2, 87.5, 6],
  ]);
  expect(
    study.effects.factors.map(({ factor, reference, levels: [first] }) => [
      factor,
      reference,
      first!.level,
      first!.difference.mean,
    ]),
  ).toEqual([
    ['teachers', 'a', 'a + b', 1],
    ['discriminator', 'on', 'off', -0.5],
  ]);
  await until(() => expect([...liveStatuses.values()]).toEqual(Array(12).fill('succeeded')));

  const bestRow = study.rows[5]!;
  const bestRun = bestRow.values[1]!.runId;
  const run = await api.runs.get.query({ id: bestRun });
  const points = await api.runs.metrics.query({ id: bestRun, after: null });
  expect(points.points.map((p) => p.step)).toEqual([10, 10, 20, 20, 30, 30]);
  expect(await logLinesOf(hub.hub, bestRun)).toEqual(['Loading the images.']);
  const file = run.checkpoints[0]!.files.find((f) => f.name === 'model.safetensors')!;
  const download = await fetch(`${hub.url}/api/runs/${bestRun}/best/model.safetensors`, {
    headers: { cookie: editor.cookie },
  });
  const bytes = Buffer.from(await download.arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
});

test('who may do what: viewers read, editors write, owners take hosts off the list', async () => {
  const viewer = clientOf((await hub.addMember('viewer')).cookie);
  const editor = clientOf((await hub.addMember('editor')).cookie);
  const design = makeDesign();
  const [study] = await viewer.studies.list.query();
  const id = study!.id;
  const run = (await viewer.studies.get.query({ id })).runs[0]!;
  const refused = { data: { appError: { code: 'forbidden' } } };
  for (const write of [
    () => viewer.studies.create.mutate({ name: 'x', design }),
    () => viewer.studies.createDemo.mutate({ demo: 'ablation' }),
    () => viewer.studies.extend.mutate({ id, design }),
    () => viewer.studies.rename.mutate({ id, name: 'x', notes: '' }),
    () => viewer.studies.cancel.mutate({ id }),
    () => viewer.studies.remove.mutate({ id }),
    () => viewer.runs.cancel.mutate({ id: run.id }),
    () => viewer.runs.retry.mutate({ id: run.id }),
    () => editor.hosts.remove.mutate({ id: hub.hub.ids('host') }),
  ])
    await expect(write()).rejects.toMatchObject(refused);
  expect(await viewer.hosts.list.query()).toHaveLength(1);
  expect(await viewer.teachers.list.query({ dataset: 'digits' })).toHaveLength(12);
  expect(await viewer.studies.clone.query({ id })).toMatchObject({ name: 'Ablation (copy)' });
  expect(await editor.runs.cancel.mutate({ id: run.id })).toMatchObject({ status: 'succeeded' });
  await expect(editor.runs.retry.mutate({ id: run.id })).rejects.toMatchObject({
    data: { appError: { code: 'conflict' } },
  });
});

test('a design that cannot be run comes back with its fields', async () => {
  const editor = clientOf((await hub.addMember('editor')).cookie);
  const refusal = await editor.studies.create
    .mutate({ name: 'x', design: makeDesign({ seeds: [1, 1] }) })
    .catch((e) => e);
  expect(refusal.data).toMatchObject({
    httpStatus: 422,
    appError: {
      code: 'invalid',
      problems: [{ path: 'seeds', message: 'Seed 1 is listed twice. Each seed may appear once.' }],
    },
  });
  const malformed = { ...makeDesign(), epochs: 0 };
  const fault = await editor.studies.create.mutate({ name: '', design: malformed }).catch((e) => e);
  expect(fault.data.appError.problems.map((p: { path: string }) => p.path)).toEqual(['name', 'design.epochs']);
});
