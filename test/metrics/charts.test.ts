import { MAX_CHART_RUNS } from '@mealtable/protocol/chart-data';
import { decodeChart, encodeChart } from '@mealtable/protocol/chart-wire';
import type { StudyDesign } from '@mealtable/protocol/study-design';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCaller } from '../../server/api/root.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { addHost, addStudy, makeDesign, metrics, ScriptedAttempt, started } from '../support/core.ts';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';

const STEPS = 300;
let hub: TestHub;
let viewer: TestMember;
let api: ReturnType<typeof createCaller>;
/** The first has a loss with NaN and both infinities in it, the second a shorter one. */
let runs: string[];

const lossAt = (step: number) =>
  step === 41 ? 'Infinity' : step === 142 ? '-Infinity' : step % 50 === 0 ? 'NaN' : Math.fround(Math.sin(step) / step);

beforeAll(async () => {
  hub = await startTestHub();
  viewer = await hub.addMember('viewer');
  api = createCaller({
    ...hub.hub,
    member: { id: viewer.id, name: '', email: viewer.email, role: 'viewer', via: 'session', credentialId: '' },
  });
  const hostId = await addHost(hub.hub);
  await addStudy(hub.hub, makeDesign() as StudyDesign);
  const grants = await claimRuns(hub.hub, hostId, 2);
  runs = grants.map(({ runId }) => runId);
  for (const [i, grant] of grants.entries()) {
    const trainer = new ScriptedAttempt(hub.hub, grant);
    await trainer.send(started());
    for (let step = 1; step <= STEPS / (i + 1); step++)
      await trainer.send(
        metrics(step, { 'train/loss': lossAt(step), ...(step % 10 ? {} : { 'val/top1': step / 10 }) }),
      );
  }
});
afterAll(() => hub.close());

const ask = (more: object) => ({
  runs,
  metrics: ['train/loss', 'val/top1'],
  buckets: 1_000,
  from: null,
  to: null,
  ...more,
});

test('a series that fits comes as it was logged, and says how far it reaches', async () => {
  const { series, through } = await api.charts.series(ask({}));
  expect(series.map(({ runId, metric, isRaw, points }) => [runs.indexOf(runId), metric, isRaw, points])).toEqual([
    [0, 'train/loss', true, 300],
    [0, 'val/top1', true, 30],
    [1, 'train/loss', true, 150],
    [1, 'val/top1', true, 15],
  ]);
  expect(series[0]!.value).toEqual(Array.from({ length: STEPS }, (_, i) => lossAt(i + 1)));
  expect(series[3]).toMatchObject({
    step: Array.from({ length: 15 }, (_, i) => 10 * (i + 1)),
    epoch: Array.from({ length: 15 }, (_, i) => i + 1),
    ...{ min: [], max: [], first: [], last: [], firstStep: [], count: [] },
  });
  expect(through).toEqual({ [runs[0]!]: { attempt: 1, seq: 301 }, [runs[1]!]: { attempt: 1, seq: 151 } });
});

test('buckets hold every point once and keep the extremes; a part of it is that part', async () => {
  for (const [from, to] of [
    [null, null],
    [1, 150],
    [37, 200],
    [142, 142],
  ])
    for (const buckets of [1, 2, 7, 64, 200]) {
      const { series } = await api.charts.series(ask({ buckets, from, to, metrics: ['train/loss'] }));
      const [all] = series;
      const steps = Array.from({ length: STEPS }, (_, i) => i + 1).filter(
        (s) => s >= (from ?? 1) && s <= (to ?? STEPS),
      );
      expect(all!.points).toBe(steps.length);
      expect(all!.step.length).toBeLessThanOrEqual(buckets + 1);
      if (all!.isRaw) {
        expect(all!.step).toEqual(steps);
        continue;
      }
      const finite = steps.map((step) => Number(lossAt(step))).filter((value) => !Number.isNaN(value));
      expect(all!.count.reduce((sum, count) => sum + count)).toBe(steps.length);
      expect(Math.min(...all!.min.map(Number).filter((value) => !Number.isNaN(value)))).toBe(Math.min(...finite));
      expect(Math.max(...all!.max.map(Number).filter((value) => !Number.isNaN(value)))).toBe(Math.max(...finite));
      expect(all!.first).toEqual(all!.firstStep.map(lossAt));
      expect(all!.last).toEqual(all!.step.map(lossAt));
    }
});

test('summaries name the extremes and where they were', async () => {
  const summaries = await api.charts.summaries({ runs });
  expect(summaries[runs[0]!]).toEqual([
    {
      ...{ name: 'train/loss', points: 300, last: 'NaN', lastStep: 300, lastEpoch: 30 },
      ...{ min: '-Infinity', minStep: 142, minEpoch: 14.2, max: 'Infinity', maxStep: 41, maxEpoch: 4.1 },
    },
    {
      ...{ name: 'val/top1', points: 30, last: 30, lastStep: 300, lastEpoch: 30 },
      ...{ min: 1, minStep: 10, minEpoch: 1, max: 30, maxStep: 300, maxEpoch: 30 },
    },
  ]);
  expect(summaries[runs[1]!]).toHaveLength(2);
});

test('over HTTP the same comes in bytes, and a wrong request is told its field', async () => {
  const post = (body: string) =>
    fetch(`${hub.url}/api/charts/series`, {
      ...{ method: 'POST', body, headers: { 'content-type': 'application/json', cookie: viewer.cookie } },
    });
  for (const buckets of [10, 1_000]) {
    const reply = await post(JSON.stringify(ask({ buckets })));
    expect(decodeChart(await reply.arrayBuffer())).toEqual(await api.charts.series(ask({ buckets })));
  }
  const many = Array.from({ length: MAX_CHART_RUNS + 1 }, () => runs[0]!);
  for (const [body, told] of [
    ['{', 'not JSON'],
    [JSON.stringify(ask({ buckets: 0 })), 'buckets: '],
    [JSON.stringify(ask({ runs: many })), `runs: A chart reads ${MAX_CHART_RUNS} runs at once at most.`],
  ] as const) {
    const reply = await post(body);
    expect(reply.status).toBe(422);
    expect(await reply.text()).toContain(told);
  }
});

test('numbers that no float32 holds survive the bytes', () => {
  const reply = {
    through: {},
    series: [
      {
        ...{ runId: 'r', metric: 'm', isRaw: true, points: 3, step: [1, 2, 2 ** 31 - 1], epoch: [0.1, 0.2, 1 / 3] },
        ...{
          at: [1.7e12, 1.7e12 + 1, 8.64e15],
          value: [0.1, 'NaN' as const, -0],
          min: [],
          max: [],
          first: [],
          last: [],
        },
        ...{ firstStep: [], count: [] },
      },
    ],
  };
  expect(decodeChart(encodeChart(reply).buffer)).toEqual(reply);
});
