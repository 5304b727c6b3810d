import type { MetricsRecord } from '@mealtable/protocol/records';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openDatabase } from '../../server/db.ts';
import { metricsAfter } from '../../server/metrics/read.ts';
import { appendRecords } from '../../server/metrics/store.ts';
import { loadRunDetail } from '../../server/runs/detail.ts';
import { expireLeases } from '../../server/runs/lifecycle-lease.ts';
import { loadRunSummary } from '../../server/runs/summary.ts';
import { transact } from '../../server/runs/transaction.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  logLine,
  logLinesOf,
  makeCheckpoint,
  metrics,
  ScriptedAttempt,
  started,
  uploadCheckpoint,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

async function newAttempt() {
  const { hub } = core;
  const hostId = await addHost(hub);
  await addStudy(hub);
  const grant = await claimOne(hub, hostId);
  return { hub, hostId, runId: grant.runId, trainer: new ScriptedAttempt(hub, grant) };
}
const allPoints = async (runId: string) => (await metricsAfter(core.hub.pool, runId, null, 100_000)).points;

/** A stream like a trainer's: started, then steps with a loss, a validation and a line of log now and then. */
function makeStream(trainer: ScriptedAttempt, steps: number) {
  const records = [trainer.number(started())];
  for (let step = 1; step <= steps; step++) {
    records.push(trainer.number(metrics(step, { 'train/loss': 1 / step, 'train/learning_rate': 0.1 })));
    if (step % 10 === 0) records.push(trainer.number(metrics(step, { 'val/top1': step, 'val/loss': 2 })));
    if (step % 7 === 0) records.push(trainer.number(logLine(`step ${step}`)));
  }
  return records;
}
const pointsOf = (records: readonly { kind: string }[]) =>
  records
    .filter((r): r is MetricsRecord => r.kind === 'metrics')
    .map(({ seq, step, values }) => ({ attempt: 1, seq, step, values }));
const plain = (points: Awaited<ReturnType<typeof allPoints>>) =>
  points.map(({ attempt, seq, step, values }) => ({ attempt, seq, step, values }));

/** Small, seeded, good enough to shuffle with. */
function makeRandom(seed: number) {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe('what a batch stores', () => {
  test('points, log lines and progress, in one go and as they were sent', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const stream = makeStream(trainer, 20);
    expect(await appendRecords(hub, runId, 1, stream)).toEqual({ ok: true, ackedSeq: stream.length, fenced: false });
    expect(plain(await allPoints(runId))).toEqual(pointsOf(stream));
    expect(await logLinesOf(hub, runId)).toEqual(['step 7', 'step 14']);
    expect(await loadRunSummary(hub.pool, runId)).toMatchObject({
      status: 'running',
      stepsCompleted: 20,
      bestTop1: 20,
      bestEpoch: 2,
      lastTop1: 20,
    });
  });

  test('times survive to the millisecond, and values to the last bit, not finite ones included', async () => {
    const { runId, trainer } = await newAttempt();
    const values = {
      'train/a': 0.1 + 0.2,
      'train/b': Number.MIN_VALUE,
      'train/c': Number.MAX_VALUE,
      'train/nan': 'NaN',
      'train/up': 'Infinity',
      'train/down': '-Infinity',
    };
    await trainer.send(started(), metrics(1, values));
    const [point] = await allPoints(runId);
    expect(point?.values).toEqual(values);
    expect(point?.at).toBe(1_700_000_000_002);
  });

  test('best is the highest val/top1, among equals the earlier epoch; what is not finite is no result', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const summary = async () => {
      const run = await loadRunSummary(hub.pool, runId);
      return [run?.bestTop1, run?.bestEpoch, run?.lastTop1];
    };
    await trainer.send(started(), metrics(10, { 'val/top1': 'NaN' }));
    expect(await summary()).toEqual([null, null, null]);
    await trainer.send(metrics(10, { 'val/top1': 50 }), metrics(20, { 'val/top1': 60 }));
    await trainer.send(metrics(30, { 'val/top1': 60 }), metrics(40, { 'val/top1': 55 }));
    expect(await summary()).toEqual([60, 2, 55]);
  });

  test('NUL and half surrogates in a line do not cost the batch', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const reply = await trainer.send(started(), logLine('a\0b'), logLine('half \ud83d'), logLine('whole 😀'));
    expect(reply).toMatchObject({ ok: true, ackedSeq: 4 });
    const lines = await logLinesOf(hub, runId);
    expect(lines).toEqual(['a\ufffdb', 'half \ufffd', 'whole 😀']);
    await trainer.send(ended({ outcome: 'failed', failureCode: 'trainer_error', message: 'x\0y' }));
    expect((await loadRunSummary(hub.pool, runId))?.failureMessage).toBe('x\ufffdy');
  });

  test('a metrics record without values is stored as a point without values', async () => {
    const { runId, trainer } = await newAttempt();
    await trainer.send(started(), metrics(1, {}));
    expect((await allPoints(runId)).map((p) => p.values)).toEqual([{}]);
  });

  test('a checkpoint with its files, complete when all of them have arrived', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const checkpoint = makeCheckpoint(hub, 10, 88.5);
    await trainer.send(started(), checkpoint.record);
    const view = async () => (await loadRunDetail(hub.pool, runId)).checkpoints[0];
    expect(await view()).toMatchObject({
      id: checkpoint.record.checkpointId,
      attempt: 1,
      stepsCompleted: 10,
      epoch: 1,
      top1: 88.5,
      isLatest: true,
      complete: false,
    });
    await uploadCheckpoint(hub, checkpoint);
    expect(await view()).toMatchObject({ complete: true, isBest: true });
  });

  test('what was stored is told to the bus after the commit, and nothing that was not', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const seen: number[] = [];
    hub.bus.on('run:records', (event) => {
      expect(event).toMatchObject({ runId, attempt: 1 });
      seen.push(...event.records.map((r) => r.seq));
    });
    const stream = makeStream(trainer, 3);
    await appendRecords(hub, runId, 1, stream.slice(0, 3));
    await appendRecords(hub, runId, 1, stream.slice(0, 3));
    await appendRecords(hub, runId, 1, [...stream.slice(3), { kind: 'nonsense' }]);
    expect(seen).toEqual([2, 3]);
  });
});

describe('what is refused', () => {
  test.each([
    ['a wrong kind', { seq: 2, at: 1, kind: 'metric' }, 'records.1.kind'],
    ['a bare number', 7, 'records.1'],
    [
      'a name that is none',
      { seq: 2, at: 1, kind: 'metrics', step: 1, epoch: 0, values: { loss: 1 } },
      'records.1.values.loss',
    ],
    [
      'a value that JSON cannot hold',
      { seq: 2, at: 1, kind: 'metrics', step: 1, epoch: 0, values: { 'a/b': null } },
      'records.1.values.a/b',
    ],
    [
      'a step that the database cannot hold',
      { seq: 2, at: 1, kind: 'metrics', step: 2 ** 40, epoch: 0, values: {} },
      'records.1.step',
    ],
    ['a time that is none', { seq: 2, at: 1e300, kind: 'log', level: 'info', line: '' }, 'records.1.at'],
    [
      'a line that is too long',
      { seq: 2, at: 1, kind: 'log', level: 'info', line: 'x'.repeat(5000) },
      'records.1.line',
    ],
  ])('%s, with its path, and the whole batch', async (_what, bad, path) => {
    const { hub, runId, trainer } = await newAttempt();
    const reply = await appendRecords(hub, runId, 1, [trainer.number(started()), bad]);
    expect(reply).toMatchObject({ ok: false, code: 'bad_record', path });
    expect((await loadRunDetail(hub.pool, runId)).attempts[0]?.ackedSeq).toBe(0);
  });

  test('a checkpoint with two files of one name', async () => {
    const { hub, trainer } = await newAttempt();
    const { record } = makeCheckpoint(hub, 10, 50);
    const reply = await trainer.send(started(), { ...record, files: [record.files[0]!, record.files[0]!] } as never);
    expect(reply).toMatchObject({ code: 'bad_record', path: 'records.1.files' });
  });

  test("another run's checkpoint id, and the batch leaves nothing behind", async () => {
    const { hub, hostId, trainer } = await newAttempt();
    const { record } = makeCheckpoint(hub, 10, 50);
    await trainer.send(started(), record);
    await addStudy(hub);
    const second = await claimOne(hub, hostId);
    const reply = await new ScriptedAttempt(hub, second).send(started(), metrics(1, { 'a/b': 1 }), record);
    expect(reply).toMatchObject({ ok: false, code: 'bad_record', path: 'seq 3: checkpointId' });
    expect(await allPoints(second.runId)).toEqual([]);
    expect((await loadRunSummary(hub.pool, second.runId))?.status).toBe('claimed');
  });

  test('P10: a gap, before the batch or within it, is answered with the seq to send from', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const stream = makeStream(trainer, 10);
    expect(await appendRecords(hub, runId, 1, stream.slice(3))).toEqual({ ok: false, code: 'resend_from', seq: 1 });
    await appendRecords(hub, runId, 1, stream.slice(0, 4));
    const holed = stream.filter((r) => r.seq !== 7);
    expect(await appendRecords(hub, runId, 1, holed)).toEqual({ ok: false, code: 'resend_from', seq: 5 });
    expect(await appendRecords(hub, runId, 1, stream)).toMatchObject({ ok: true, ackedSeq: stream.length });
    expect(plain(await allPoints(runId))).toEqual(pointsOf(stream));
  });

  test('records of a run that was removed are acknowledged and fenced: there is nothing to keep them for', async () => {
    const { hub } = core;
    const trainer = new ScriptedAttempt(hub, { runId: hub.ids('run'), attempt: 1 });
    expect(await trainer.send(started(), metrics(1, { 'a/b': 1 }))).toEqual({ ok: true, ackedSeq: 2, fenced: true });
  });
});

describe('each point exactly once', () => {
  test('P9: whatever is sent twice, reordered, overlapping or at the same time', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const { hub, runId, trainer } = await newAttempt();
      const random = makeRandom(seed);
      const stream = makeStream(trainer, 120);
      let acked = 0;
      while (acked < stream.length) {
        // Several senders at once, each with a window that starts somewhere around the mark, in any order inside.
        const sends = Array.from({ length: 4 }, () => {
          const from = Math.max(0, acked - Math.floor(random() * 20));
          const batch = stream.slice(from, from + 1 + Math.floor(random() * 40));
          return batch.sort(() => random() - 0.5);
        });
        const replies = await Promise.all(sends.map((batch) => appendRecords(hub, runId, 1, batch)));
        for (const reply of replies) {
          if (!reply.ok) expect(reply.code).toBe('resend_from');
          else acked = Math.max(acked, reply.ackedSeq);
        }
      }
      expect(plain(await allPoints(runId))).toEqual(pointsOf(stream));
      const { rows } = await hub.pool.query('SELECT count(*)::int AS n FROM log_lines WHERE run_id = $1', [runId]);
      expect(rows[0].n).toBe(stream.filter((r) => r.kind === 'log').length);
      expect(await loadRunSummary(hub.pool, runId)).toMatchObject({ stepsCompleted: 120, bestTop1: 120 });
      await core.reset();
    }
  });

  test('two writers with different halves of the stream end with the whole of it', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const stream = makeStream(trainer, 200);
    const write = async (size: number) => {
      for (let next = 1; next <= stream.length; ) {
        const reply = await appendRecords(hub, runId, 1, stream.slice(next - 1, next - 1 + size));
        if (reply.ok) next = reply.ackedSeq + 1;
        else if (reply.code === 'resend_from') next = reply.seq;
        else throw new Error(JSON.stringify(reply));
      }
    };
    await Promise.all([write(13), write(29)]);
    expect(plain(await allPoints(runId))).toEqual(pointsOf(stream));
  });
});

describe('stale attempts lose nothing that belongs to the run, and decide nothing', () => {
  async function supersededAttempt() {
    const attempt = await newAttempt();
    const { hub, trainer, runId } = attempt;
    const checkpoint = makeCheckpoint(hub, 20, 60);
    await trainer.send(started(), metrics(10, { 'val/top1': 50 }), checkpoint.record);
    await uploadCheckpoint(hub, checkpoint);
    await hub.pool.query("UPDATE runs SET lease_expires_at = now() - interval '1 second' WHERE id = $1", [runId]);
    await transact(hub, expireLeases);
    const grant = await claimOne(hub, await addHost(hub));
    expect(grant).toMatchObject({ attempt: 2, resume: { stepsCompleted: 20 } });
    return { ...attempt, second: new ScriptedAttempt(hub, grant) };
  }

  test('P6: points up to where the next attempt began and all lines are stored; later points, checkpoints and endings are not', async () => {
    const { hub, runId, trainer, second } = await supersededAttempt();
    await second.send(started(20), metrics(30, { 'val/top1': 70 }));
    const late = makeCheckpoint(hub, 25, 99);
    const reply = await trainer.send(
      metrics(15, { 'train/loss': 1 }),
      metrics(20, { 'val/top1': 80 }),
      metrics(25, { 'val/top1': 99 }),
      logLine('from the old host'),
      late.record,
      ended(),
    );
    expect(reply).toEqual({ ok: true, ackedSeq: 9, fenced: true });
    expect((await allPoints(runId)).map((p) => [p.attempt, p.step])).toEqual([
      [1, 10],
      [1, 15],
      [1, 20],
      [2, 30],
    ]);
    const run = await loadRunDetail(hub.pool, runId);
    expect(run).toMatchObject({ status: 'running', attempt: 2, bestTop1: 80, bestEpoch: 2, lastTop1: 70 });
    expect(run.checkpoints.map((c) => c.stepsCompleted)).toEqual([20]);
    expect(await logLinesOf(hub, runId)).toEqual(['from the old host']);
    expect(run.attempts[0]).toMatchObject({ outcome: 'lost', ackedSeq: 9 });
  });

  test('a validation at the very step that attempts go on from counts once, for the last of them', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const lose = async () => {
      await hub.pool.query("UPDATE runs SET lease_expires_at = now() - interval '1 second' WHERE id = $1", [runId]);
      await transact(hub, expireLeases);
    };
    const goOn = async () => new ScriptedAttempt(hub, await claimOne(hub, await addHost(hub)));
    // Stopped between the last step of an epoch and its validation.
    const checkpoint = makeCheckpoint(hub, 10, null, false);
    await trainer.send(started(), metrics(10, { 'train/loss': 1 }), checkpoint.record);
    await uploadCheckpoint(hub, checkpoint);
    await lose();
    const second = await goOn();
    await second.send(started(10), metrics(10, { 'val/top1': 55 }));
    await lose();
    const third = await goOn();
    await lose();
    const fourth = await goOn();
    await third.send(started(10), metrics(10, { 'val/top1': 55 }));
    await fourth.send(started(10), metrics(10, { 'val/top1': 55 }));
    expect((await allPoints(runId)).map((p) => [p.attempt, p.step, Object.keys(p.values)])).toEqual([
      [1, 10, ['train/loss']],
      [4, 10, ['val/top1']],
    ]);
    expect(await loadRunSummary(hub.pool, runId)).toMatchObject({ bestTop1: 55, lastTop1: 55 });
  });

  test('P6: the answer stays fenced when it is sent again', async () => {
    const { hub, runId, trainer } = await supersededAttempt();
    const record = trainer.number(logLine('again'));
    for (let i = 0; i < 2; i++)
      expect(await appendRecords(hub, runId, 1, [record])).toEqual({ ok: true, ackedSeq: 4, fenced: true });
  });

  test('P7: a lost attempt whose run nobody has claimed is alive again by its first records, success included', async () => {
    const { hub, runId, trainer } = await newAttempt();
    const checkpoint = makeCheckpoint(hub, 20, 60);
    await trainer.send(started());
    await hub.pool.query("UPDATE runs SET lease_expires_at = now() - interval '1 second'");
    await transact(hub, expireLeases);
    expect((await loadRunSummary(hub.pool, runId))?.status).toBe('queued');
    await uploadCheckpoint(hub, checkpoint);
    const reply = await trainer.send(metrics(20, { 'val/top1': 60 }), checkpoint.record, ended());
    expect(reply).toEqual({ ok: true, ackedSeq: 4, fenced: false });
    expect(await loadRunSummary(hub.pool, runId)).toMatchObject({ status: 'succeeded', bestTop1: 60, attempt: 1 });
  });

  test('what an attempt still had to say after its end is kept, without waking it', async () => {
    const { hub, runId, trainer } = await newAttempt();
    await trainer.send(started(), ended({ outcome: 'failed', failureCode: 'diverged' }));
    expect(await trainer.send(logLine('last words'))).toEqual({ ok: true, ackedSeq: 3, fenced: true });
    expect((await loadRunDetail(hub.pool, runId)).attempts[0]?.lastLogLines).toEqual(['last words']);
    expect((await loadRunSummary(hub.pool, runId))?.status).toBe('failed');
  });
});

test('P10: a database that is away is an answer, and the same batch is stored when it is back', async () => {
  const { hub, runId, trainer } = await newAttempt();
  const stream = makeStream(trainer, 5);
  const nowhere = openDatabase('postgresql://postgres@127.0.0.1:1/none');
  const told: string[] = [];
  const log = vi.spyOn(console, 'error').mockImplementation((line: string) => void told.push(line));
  try {
    const reply = await appendRecords({ pool: nowhere.pool, bus: hub.bus }, runId, 1, stream);
    expect(reply).toMatchObject({ ok: false, code: 'unavailable' });
    expect(told).toHaveLength(1);
  } finally {
    log.mockRestore();
    await nowhere.close();
  }
  expect(await appendRecords(hub, runId, 1, stream)).toMatchObject({ ok: true, ackedSeq: stream.length });
});
