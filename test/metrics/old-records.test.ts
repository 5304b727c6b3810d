import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tender } from '../../server/metrics/compact/tend.ts';
import { packOldRecords } from '../../server/metrics/pack-old-records.ts';
import { metricsAfter } from '../../server/metrics/read.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  metrics,
  ScriptedAttempt,
  started,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());

test('rows of an older hub become chunks: every one of them, though the hub is stopped in between, and the run goes on', async () => {
  const { hub } = core;
  const { pool } = hub;
  const hostId = await addHost(hub);
  await addStudy(hub);
  const trainer = new ScriptedAttempt(hub, await claimOne(hub, hostId));
  const { runId } = trainer;
  await trainer.send(started());
  // As the hub before wrote them: 250 records with numbers 2 to 251 of one attempt, and some of an earlier one.
  await pool.query(
    `INSERT INTO metric_series (id, run_id, name) VALUES (1001, $1, 'train/loss'), (1002, $1, 'val/top1')`,
    [runId],
  );
  await pool.query(
    `INSERT INTO metric_records (run_id, attempt, seq, step, epoch, at, series_id, "values")
     SELECT $1, a, i + 1, i, i / 10.0::float8, to_timestamp(1700000000 + i / 1000.0::float8),
            CASE WHEN i % 10 = 0 THEN '{1002,1001}'::int[] ELSE '{1001}' END,
            CASE WHEN i % 10 = 0 THEN ARRAY[i::float8, 'NaN'] ELSE ARRAY[1 / i::float8] END
     FROM generate_series(1, 250) AS i, (VALUES (0), (1)) AS attempts(a) WHERE a = 1 OR i <= 7`,
    [runId],
  );
  await pool.query('UPDATE run_attempts SET acked_seq = 251');
  trainer.seq = 251;

  await pool.query(`ALTER TABLE metric_chunks ADD CONSTRAINT stops CHECK (first_seq < 150)`);
  await expect(packOldRecords(hub, () => {}, 50)).rejects.toThrow('stops');
  await pool.query(`ALTER TABLE metric_chunks DROP CONSTRAINT stops`);
  expect((await pool.query('SELECT 1 FROM metric_records')).rowCount).toBeGreaterThan(50);
  await packOldRecords(hub, () => {}, 50);
  expect((await pool.query('SELECT 1 FROM metric_records')).rowCount).toBe(0);
  await packOldRecords(hub);

  await trainer.send(metrics(251, { 'train/loss': 0.5 }));
  const read = async () => (await metricsAfter(pool, runId, null, 1_000)).points;
  const points = await read();
  expect(points).toEqual([
    ...Array.from({ length: 7 }, (_, i) => pointAt(0, i + 1)),
    ...Array.from({ length: 250 }, (_, i) => pointAt(1, i + 1)),
    { ...{ attempt: 1, seq: 252, step: 251, epoch: 25.1, at: 1_700_000_000_252, values: { 'train/loss': 0.5 } } },
  ]);
  await pool.query('UPDATE run_attempts SET ended_at = now()');
  const tender = new Tender(hub);
  await tender.find();
  await tender.tend(0);
  tender.close();
  expect(await read()).toEqual(points);
});

const pointAt = (attempt: number, i: number) => ({
  ...{ attempt, seq: i + 1, step: i, epoch: i / 10, at: 1_700_000_000_000 + i },
  values: i % 10 === 0 ? { 'val/top1': i, 'train/loss': 'NaN' } : { 'train/loss': 1 / i },
});
