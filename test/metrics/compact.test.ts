/** However and whenever chunks become segments, what is stored, what tables show and what charts show stay what was sent. */
import { toWireNumber, type WireNumber } from '@mealtable/protocol/wire-number';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readChart } from '../../server/metrics/chart/read-chart.ts';
import { loadSummaries } from '../../server/metrics/chart/summaries.ts';
import { TEND_LIMITS, Tender, type TendLimits } from '../../server/metrics/compact/tend.ts';
import { metricsAfter } from '../../server/metrics/read.ts';
import { appendRecords } from '../../server/metrics/store.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  makeCheckpoint,
  metrics,
  ScriptedAttempt,
  started,
  uploadCheckpoint,
} from '../support/core.ts';
import { makeRandom } from '../support/random.ts';
import { expectChart, type ModelRecord, plainRecord, summaryOf } from './support/metric-model.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

/** Small enough for a few hundred records to become several segments. */
const SMALL: TendLimits = { ...TEND_LIMITS, leastRecords: 20, everyMs: 0, records: 150, bytes: 20_000, small: 3 };

class Run {
  readonly hostId: string;
  trainer: ScriptedAttempt;
  readonly records: ModelRecord[] = [];
  constructor(hostId: string, trainer: ScriptedAttempt) {
    this.hostId = hostId;
    this.trainer = trainer;
  }

  static async start(): Promise<Run> {
    const hostId = await addHost(core.hub);
    await addStudy(core.hub);
    const run = new Run(hostId, new ScriptedAttempt(core.hub, await claimOne(core.hub, hostId)));
    await run.trainer.send(started());
    return run;
  }

  get id(): string {
    return this.trainer.runId;
  }

  async log(steps: readonly number[], valuesAt: (step: number) => Record<string, WireNumber>): Promise<void> {
    const sent = steps.map((step) => this.trainer.number(metrics(step, valuesAt(step))));
    const reply = await appendRecords(core.hub, this.id, this.trainer.attempt, sent);
    expect(reply).toMatchObject({ ok: true, fenced: false });
    for (const record of sent as (ModelRecord & { kind?: string })[])
      this.records.push({ ...record, attempt: this.trainer.attempt });
  }

  /** The next attempt goes on from a checkpoint of this one. */
  async resumeFrom(step: number): Promise<void> {
    const checkpoint = makeCheckpoint(core.hub, step, null);
    await this.trainer.send(checkpoint.record);
    await uploadCheckpoint(core.hub, checkpoint);
    await this.trainer.send(ended({ outcome: 'interrupted' }));
    const grant = await claimOne(core.hub, this.hostId);
    expect(grant).toMatchObject({ runId: this.id, resume: { stepsCompleted: step } });
    this.trainer = new ScriptedAttempt(core.hub, grant);
    await this.trainer.send(started(step));
    const kept = this.records.filter((record) => record.step <= step);
    this.records.splice(0, this.records.length, ...kept);
  }

  /** Points, summaries and charts are those of the records. */
  async check(): Promise<void> {
    const { pool } = core.hub;
    const { points } = await metricsAfter(pool, this.id, null, 100_000);
    expect(points).toEqual(this.records.map(plainRecord));
    const names = [...new Set(this.records.flatMap(({ values }) => Object.keys(values)))].sort();
    expect((await loadSummaries(pool, [this.id]))[this.id] ?? []).toEqual(
      names.map((name) => summaryOf(this.records, name)),
    );
    const last = Math.max(0, ...this.records.map(({ step }) => step));
    for (const [from, to] of [
      [0, last],
      [Math.floor(last / 3), Math.floor(last / 2)],
      [last - 3, last],
    ] as const)
      for (const buckets of [1, 5, 40, 1_000]) {
        const { series } = await readChart(pool, { runs: [this.id], metrics: names, from, to, buckets });
        for (const name of names)
          expectChart(
            series.find(({ metric }) => metric === name),
            this.records,
            name,
            { from, to, buckets },
          );
      }
  }
}

const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
const count = async (table: string) =>
  Number((await core.hub.pool.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

/** What the runs table reads. */
async function summariesInTable(runId: string) {
  const { rows } = await core.hub.pool.query(
    'SELECT name, points, last, last_step, min, min_step, max, max_step FROM metric_series WHERE run_id = $1 ORDER BY name',
    [runId],
  );
  return rows;
}

test('batches of any size, tended at any time, by hubs that come and go: nothing is lost, doubled or hidden', async () => {
  const random = makeRandom(5);
  const run = await Run.start();
  let tender = new Tender(core.hub, SMALL);
  let step = 0;
  for (let round = 0; round < 40; round++) {
    const steps = range(step + 1, 1 + Math.floor(random() * 60));
    step = steps.at(-1)!;
    await run.log(steps, (at) => ({
      'train/loss':
        at % 97 === 0 ? 'NaN' : at % 131 === 0 ? 'Infinity' : at === 700 ? '-Infinity' : toWireNumber(random() - 0.5),
      'train/learning_rate': 0.1,
      ...(at % 10 === 0 ? { 'val/top1': Math.fround(100 * random()) } : {}),
      ...(at % 400 === 0 ? { 'val/only_nan': 'NaN' as const } : {}),
    }));
    if (random() < 0.5) await tender.tend(round);
    // A hub that goes on where another one was stopped.
    if (random() < 0.2) {
      tender.close();
      tender = new Tender(core.hub, SMALL);
      await tender.find();
    }
    if (round % 10 === 9) await run.check();
  }
  await run.trainer.send(ended());
  await tender.find();
  await tender.tend(100);
  tender.close();
  expect(await count('metric_chunks')).toBe(0);
  expect(await count('metric_segments')).toBeGreaterThan(8);
  await run.check();
  expect(await summariesInTable(run.id)).toMatchObject([
    { name: 'train/learning_rate', points: run.records.length, min: 0.1, max: 0.1 },
    { name: 'train/loss', min: Number.NEGATIVE_INFINITY, min_step: 700, max: Number.POSITIVE_INFINITY, max_step: 131 },
    { name: 'val/only_nan', last: Number.NaN, min: null, max: null },
    { name: 'val/top1', last_step: Math.floor(step / 10) * 10 },
  ]);
});

describe('a rewind', () => {
  const loss = (step: number) => ({
    'train/loss': step === 260 ? 1_000 : step / 7,
    ...(step % 50 ? {} : { 'val/top1': step }),
  });

  test.each([
    ['chunks', false],
    ['segments', true],
  ])('cuts through %s, and takes what it deletes out of summaries and rollups', async (_, tended) => {
    const run = await Run.start();
    const tender = new Tender(core.hub, {
      ...SMALL,
      ...(tended ? { leastRecords: 1 } : { leastRecords: 1e9, records: 1e9, bytes: 1e9 }),
    });
    for (let from = 1; from < 400; from += 40) await run.log(range(from, 40), loss);
    await tender.tend(0);
    expect((await count('metric_chunks')) === 0).toBe(tended);
    await run.check();
    expect((await summariesInTable(run.id))[0]).toMatchObject({ max: 1_000, max_step: 260, points: 400 });
    await run.resumeFrom(230);
    await run.check();
    expect((await summariesInTable(run.id))[0]).toMatchObject({ max: 230 / 7, max_step: 230, points: 230 });
    await run.log(range(231, 120), loss);
    await tender.tend(2);
    await run.check();
    await run.resumeFrom(300);
    await run.log(range(301, 5), loss);
    await tender.tend(3);
    await run.check();
    tender.close();
  });
});

test('a hub that is stopped between chunks and segments has lost and doubled nothing', async () => {
  const run = await Run.start();
  const tender = new Tender(core.hub, SMALL);
  for (let from = 1; from < 300; from += 30) await run.log(range(from, 30), (step) => ({ 'train/loss': 1 / step }));
  await core.hub.pool.query('ALTER TABLE metric_segments ADD CONSTRAINT refuses CHECK (first_seq < 100)');
  await expect(tender.tend(0)).rejects.toThrow('refuses');
  await run.check();
  await core.hub.pool.query('ALTER TABLE metric_segments DROP CONSTRAINT refuses');
  await tender.tend(100);
  expect(await count('metric_segments')).toBeGreaterThan(0);
  await run.check();
  tender.close();
});

test('five thousand metrics, steps that go back, and a clock that does', async () => {
  const run = await Run.start();
  const tender = new Tender(core.hub, { ...SMALL, bytes: 1_000_000, leastRecords: 5 });
  const many = (step: number) =>
    Object.fromEntries(range(0, 5_000).map((i) => [`layer_${i}/norm`, Math.fround(Math.sin(i * step))]));
  for (const steps of [
    [1, 2, 3],
    [4, 5, 6],
    [5, 4],
  ]) {
    const sent = steps.map((step, i) => ({
      ...run.trainer.number(metrics(step, many(step))),
      at: 1.7e12 - 5_000 * step - i,
    }));
    expect(await appendRecords(core.hub, run.id, 1, sent)).toMatchObject({ ok: true });
    for (const record of sent as unknown as ModelRecord[]) run.records.push({ ...record, attempt: 1 });
  }
  const { points } = await metricsAfter(core.hub.pool, run.id, null, 100);
  await tender.tend(0);
  expect(await count('metric_chunks')).toBe(0);
  expect(points).toEqual(run.records.map(plainRecord));
  expect((await metricsAfter(core.hub.pool, run.id, null, 100)).points).toEqual(points);
  const name = 'layer_4321/norm';
  const { series } = await readChart(core.hub.pool, {
    runs: [run.id],
    metrics: [name],
    from: null,
    to: null,
    buckets: 50,
  });
  expectChart(series[0], run.records, name, { from: 0, to: 100, buckets: 50 });
  expect((await loadSummaries(core.hub.pool, [run.id], [name]))[run.id]).toEqual([summaryOf(run.records, name)]);
  tender.close();
});

test('a full disk is said to be a passing fault, and the same batch is stored when there is room', async () => {
  const run = await Run.start();
  const batch = [run.trainer.number(metrics(1, { 'train/loss': 1 }))];
  await core.hub.pool.query(`
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER no_room BEFORE INSERT ON metric_chunks EXECUTE FUNCTION no_room();`);
  const told = console.error;
  console.error = () => {};
  try {
    expect(await appendRecords(core.hub, run.id, 1, batch)).toMatchObject({ ok: false, code: 'unavailable' });
  } finally {
    console.error = told;
    await core.hub.pool.query('DROP TRIGGER no_room ON metric_chunks; DROP FUNCTION no_room');
  }
  expect(await appendRecords(core.hub, run.id, 1, batch)).toEqual({ ok: true, ackedSeq: 2, fenced: false });
  expect((await metricsAfter(core.hub.pool, run.id, null, 10)).points).toHaveLength(1);
});
