import type { RecordBatchReply } from '@mealtable/protocol/agent-messages';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { metricsAfter } from '../../server/metrics/read.ts';
import { appendRecords } from '../../server/metrics/store.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { loadRunSummary } from '../../server/runs/summary.ts';
import {
  addHost,
  addStudy,
  type Core,
  createCore,
  ended,
  logLine,
  makeDesign,
  metrics,
  ScriptedAttempt,
  started,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const RUNS = 8;

/** Runs that have started, each with its trainer. */
async function runningAttempts(): Promise<ScriptedAttempt[]> {
  const { hub } = core;
  const hostId = await addHost(hub, { slots: RUNS });
  await addStudy(hub, makeDesign({ seeds: Array.from({ length: RUNS }, (_, i) => i) }));
  const grants = await claimRuns(hub, hostId, RUNS);
  expect(grants).toHaveLength(RUNS);
  const trainers = grants.map((grant) => new ScriptedAttempt(hub, grant));
  for (const trainer of trainers) await trainer.send(started());
  return trainers;
}

const stepOf = (trainer: ScriptedAttempt, step: number) =>
  trainer.send(metrics(step, { 'train/loss': 1 / step, 'val/top1': step }), logLine(`step ${step}`));
const seqsOf = async ({ runId }: ScriptedAttempt) =>
  (await metricsAfter(core.hub.pool, runId, null, 1_000)).points.map(({ seq }) => seq);
const isStored = (reply: RecordBatchReply) => reply.ok && !reply.fenced;

test('batches that arrive together share transactions, and each is stored and answered as if it had come alone', async () => {
  const { hub } = core;
  const trainers = await runningAttempts();
  const told = new Map<string, number[]>();
  hub.bus.on('run:records', ({ runId, records }) =>
    told.set(runId, [...(told.get(runId) ?? []), ...records.map(({ seq }) => seq)]),
  );
  const replies = await Promise.all([1, 2, 3].flatMap((step) => trainers.map((trainer) => stepOf(trainer, step))));
  expect(replies).toEqual([3, 5, 7].flatMap((ackedSeq) => trainers.map(() => ({ ok: true, ackedSeq, fenced: false }))));
  for (const [i, trainer] of trainers.entries()) {
    expect(await seqsOf(trainer), `run ${i}`).toEqual([2, 4, 6]);
    expect(told.get(trainer.runId)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(await loadRunSummary(hub.pool, trainer.runId)).toMatchObject({
      ...{ stepsCompleted: 3, bestTop1: 3, bestEpoch: 0.3, lastTop1: 3 },
    });
  }
  const { rows } = await hub.pool.query('SELECT count(DISTINCT xmin::text)::int AS transactions FROM metric_chunks');
  expect(rows[0].transactions).toBeLessThan(RUNS);
});

test('what is not plain among them is answered for itself: a gap, a repetition, an end, an attempt that is over', async () => {
  const { hub } = core;
  const [whole, gap, again, ending, over] = (await runningAttempts()) as [
    ScriptedAttempt,
    ScriptedAttempt,
    ScriptedAttempt,
    ScriptedAttempt,
    ScriptedAttempt,
  ];
  const sent = again.number(metrics(1, { 'train/loss': 1 }));
  await appendRecords(hub, again.runId, 1, [sent]);
  await over.send(ended({ outcome: 'failed', failureCode: 'diverged', exitCode: 1 }));
  gap.seq += 5;
  const replies = await Promise.all([
    stepOf(whole, 1),
    stepOf(gap, 1),
    appendRecords(hub, again.runId, 1, [sent]),
    ending.send(metrics(1, { 'train/loss': 1 }), ended({ outcome: 'failed', failureCode: 'diverged', exitCode: 1 })),
    stepOf(over, 1),
    stepOf(whole, 2),
  ]);
  expect(replies).toEqual([
    { ok: true, ackedSeq: 3, fenced: false },
    { ok: false, code: 'resend_from', seq: 2 },
    { ok: true, ackedSeq: 2, fenced: false },
    { ok: true, ackedSeq: 3, fenced: false },
    { ok: true, ackedSeq: 4, fenced: true },
    { ok: true, ackedSeq: 5, fenced: false },
  ]);
  expect(await Promise.all([whole, gap, again, ending].map(seqsOf))).toEqual([[2, 4], [], [2], [2]]);
});

test('a batch that the database refuses takes no other one with it', async () => {
  const { hub } = core;
  const trainers = await runningAttempts();
  const [bad] = trainers as [ScriptedAttempt];
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  await hub.pool.query("ALTER TABLE log_lines ADD CONSTRAINT refuses CHECK (line <> 'step 13')");
  try {
    const replies = await Promise.all(trainers.map((trainer) => stepOf(trainer, trainer === bad ? 13 : 1)));
    expect(replies[0]).toMatchObject({ ok: false, code: 'unavailable' });
    expect(replies.slice(1).every(isStored)).toBe(true);
    expect(told).toHaveBeenCalledTimes(1);
  } finally {
    await hub.pool.query('ALTER TABLE log_lines DROP CONSTRAINT refuses');
    told.mockRestore();
  }
  expect(await seqsOf(bad)).toEqual([]);
  bad.seq = 1;
  expect(await stepOf(bad, 1)).toEqual({ ok: true, ackedSeq: 3, fenced: false });
});

test('a run that somebody has locked waits alone', async () => {
  const { hub } = core;
  const trainers = await runningAttempts();
  const [locked, ...others] = trainers as [ScriptedAttempt, ...ScriptedAttempt[]];
  const client = await hub.pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM runs WHERE id = $1 FOR UPDATE', [locked.runId]);
    const waiting = stepOf(locked, 1);
    expect((await Promise.all(others.map((trainer) => stepOf(trainer, 1)))).every(isStored)).toBe(true);
    expect(await seqsOf(locked)).toEqual([]);
    await client.query('ROLLBACK');
    expect(await waiting).toEqual({ ok: true, ackedSeq: 3, fenced: false });
  } finally {
    client.release();
  }
});
