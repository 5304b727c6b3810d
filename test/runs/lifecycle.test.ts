import type { Grant } from '@mealtable/protocol/agent-messages';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { removeHost } from '../../server/hosts/host-rows.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { loadRunDetail } from '../../server/runs/detail.ts';
import { finishAttempt, startRun } from '../../server/runs/lifecycle.ts';
import {
  expireLeases,
  extendLeases,
  loseUnlisted,
  releaseClaims,
  renewAllLeases,
} from '../../server/runs/lifecycle-lease.ts';
import { requestCancel, retryRun } from '../../server/runs/lifecycle-user.ts';
import { settleAttempts } from '../../server/runs/standing.ts';
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
  makeCheckpoint,
  makeDesign,
  metrics,
  runsOf,
  ScriptedAttempt,
  settlePublishing,
  started,
  statusOf,
  succeed,
  until,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const failedBy = (failureCode: string) =>
  ended({ outcome: 'failed', failureCode: failureCode as never, message: 'X.' });
const lapseLeases = () => core.hub.pool.query("UPDATE runs SET lease_expires_at = now() - interval '1 second'");
const reset = (runId: string) => transact(core.hub, (tx) => retryRun(tx, runId));
const cancel = (...runIds: string[]) => transact(core.hub, (tx) => requestCancel(tx, runIds));

async function claimedTeacher() {
  const { hub } = core;
  const hostId = await addHost(hub);
  const studyId = await addStudy(hub);
  const [teacher, student] = (await runsOf(hub, studyId)) as [string, string];
  const grant = await claimOne(hub, hostId);
  return { hub, hostId, studyId, teacher, student, grant, trainer: new ScriptedAttempt(hub, grant) };
}

describe('P13: edges are taken once', () => {
  test('started moves claimed to running with what the trainer said, and never an older attempt', async () => {
    const { hub, teacher, trainer } = await claimedTeacher();
    await trainer.send(started());
    const run = await loadRunDetail(hub.pool, teacher);
    expect(run).toMatchObject({ status: 'running', totalSteps: 30, stepsPerEpoch: 10, parameterCount: 1234 });
    expect(run.attempts[0]).toMatchObject({ backend: 'tensorflow', device: 'cpu', startStep: 0 });
    expect(run.startedAt).not.toBeNull();
    const again = await transact(hub, (tx) => startRun(tx, teacher, 1, trainer.number(started()) as never));
    expect(again).toBe(false);
  });

  test('of many endings at once exactly one wins, and it alone decides', async () => {
    const { hub, teacher, trainer } = await claimedTeacher();
    await trainer.send(started());
    const ending = { failureCode: 'trainer_killed' as const, message: null, exitCode: null, signal: 'SIGKILL' };
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        transact(hub, (tx) =>
          finishAttempt(tx, teacher, 1, { ...ending, outcome: i % 2 === 0 ? 'failed' : 'interrupted' }),
        ),
      ),
    );
    expect(results.filter((r) => r !== null)).toEqual(['queued']);
  });

  test('claiming while a cancel arrives leaves the run either cancelled or marked, never claimed and forgotten', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    const [teacher] = (await runsOf(hub, await addStudy(hub))) as [string];
    for (let i = 0; i < 10; i++) {
      await Promise.all([claimRuns(hub, hostId, 1), cancel(teacher)]);
      const { rows } = await hub.pool.query('SELECT status, attempt, cancel_requested_at FROM runs WHERE id = $1', [
        teacher,
      ]);
      expect(rows[0].cancel_requested_at).not.toBeNull();
      if (rows[0].status !== 'cancelled') {
        expect(rows[0].status).toBe('claimed');
        await new ScriptedAttempt(hub, { runId: teacher, attempt: rows[0].attempt }).send(
          ended({ outcome: 'cancelled' }),
        );
      }
      expect(await statusOf(hub, teacher)).toBe('cancelled');
      await reset(teacher);
    }
  });
});

describe('how attempts end', () => {
  test('success without a stored checkpoint is a failure that says so', async () => {
    const { hub, teacher, trainer } = await claimedTeacher();
    const checkpoint = makeCheckpoint(hub, 30, 90);
    await trainer.send(started(), checkpoint.record, ended());
    const run = await loadRunDetail(hub.pool, teacher);
    expect(run).toMatchObject({ status: 'failed', failureCode: 'trainer_error' });
    expect(run.failureMessage).toMatch(/none of its checkpoints arrived/);
  });

  test('a failure that another attempt may cure queues the run again, until the last allowed attempt', async () => {
    const { hub, hostId, teacher } = await claimedTeacher();
    for (let attempt = 1; attempt <= 5; attempt++) {
      if (attempt > 1) expect((await claimOne(hub, hostId)).attempt).toBe(attempt);
      await new ScriptedAttempt(hub, { runId: teacher, attempt }).send(started(), failedBy('trainer_killed'));
    }
    const run = await loadRunDetail(hub.pool, teacher);
    expect(run).toMatchObject({ status: 'failed', failureCode: 'attempts_exhausted', attempt: 5, maxAttempts: 5 });
    expect(run.attempts.map((a) => [a.outcome, a.failureCode])).toEqual(
      Array.from({ length: 5 }, () => ['failed', 'trainer_killed']),
    );
  });

  test('an interruption does not count against the allowance', async () => {
    const { hub, teacher, trainer } = await claimedTeacher();
    await trainer.send(started(), ended({ outcome: 'interrupted', exitCode: 75 }));
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({ status: 'queued', maxAttempts: 6, hostId: null });
  });

  test('a failure shows its reason and the end of its output', async () => {
    const { hub, teacher, trainer } = await claimedTeacher();
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i}`);
    await trainer.send(started(), ...lines.map(logLine), failedBy('diverged'));
    const run = await loadRunDetail(hub.pool, teacher);
    expect(run).toMatchObject({ status: 'failed', failureCode: 'diverged', failureMessage: 'X.' });
    expect(run.attempts[0]?.lastLogLines).toEqual(lines.slice(-50));
    expect(run.finishedAt).not.toBeNull();
  });
});

describe('runs that wait for a run', () => {
  test('fail with it, directly or not, and name it', async () => {
    const { hub, student, trainer } = await claimedTeacher();
    await trainer.send(started(), failedBy('diverged'));
    expect(await loadRunDetail(hub.pool, student)).toMatchObject({
      status: 'failed',
      failureCode: 'dependency_failed',
      failureMessage: 'It needs "a (resnet18_w16)" (seed 1), which failed.',
    });
  });

  test('fail when it is cancelled', async () => {
    const { hub, teacher, student, trainer } = await claimedTeacher();
    await cancel(teacher);
    expect(await statusOf(hub, student)).toBe('queued');
    await trainer.send(ended({ outcome: 'cancelled' }));
    expect(await loadRunDetail(hub.pool, student)).toMatchObject({
      status: 'failed',
      failureMessage: expect.stringMatching(/was cancelled/),
    });
  });

  test('are queued again when it is tried again, unless another of theirs has failed as well', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    const runs = await runsOf(hub, await addStudy(hub, makeDesign({ baseline: false, seeds: [1] })));
    const [a, b, onlyA, , both] = runs as [string, string, string, string, string];
    for (const grant of await claimRuns(hub, hostId, 2))
      await new ScriptedAttempt(hub, grant).send(started(), failedBy('diverged'));
    expect(await statusOf(hub, both)).toBe('failed');
    await reset(a);
    expect([await statusOf(hub, onlyA), await statusOf(hub, both)]).toEqual(['queued', 'failed']);
    await expect(reset(both)).rejects.toThrow(/needs "b \(resnet18_w16\)", which failed. Retry that one first/);
    await reset(b);
    expect(await statusOf(hub, both)).toBe('queued');
    expect((await loadRunDetail(hub.pool, both)).waitingFor.map((w) => w.runId)).toEqual([a, b]);
  });

  test('a run that was cancelled by hand stays cancelled when its teacher is tried again', async () => {
    const { hub, teacher, student, trainer } = await claimedTeacher();
    await cancel(student);
    await trainer.send(started(), failedBy('diverged'));
    await reset(teacher);
    expect(await statusOf(hub, student)).toBe('cancelled');
  });
});

/** Ends the attempt, and does `meanwhile` after that was decided and before it is committed. */
async function endingWhile(
  grant: { runId: string; attempt: number },
  outcome: 'failed' | 'interrupted',
  meanwhile: () => Promise<unknown>,
) {
  let begun: Promise<unknown> = Promise.resolve();
  await transact(core.hub, async (tx) => {
    const failureCode = outcome === 'failed' ? 'diverged' : null;
    const ending = { outcome, failureCode, message: null, exitCode: null, signal: null } as const;
    await finishAttempt(tx, grant.runId, grant.attempt, ending);
    begun = meanwhile().catch((error: unknown) => error);
    // It is done, or it waits for this transaction.
    const isWaiting = async () => {
      const { rows } = await tx.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      if (rows.length === 0) throw new Error('Nobody waits.');
    };
    await Promise.race([begun, until(isWaiting)]);
  });
  return begun;
}

describe('what a person asks at the moment when an attempt ends', () => {
  test('a cancel is not lost on a run that is just being queued again', async () => {
    const { hub, teacher, grant } = await claimedTeacher();
    expect(await endingWhile(grant, 'interrupted', () => cancel(teacher))).toBe(1);
    expect(await statusOf(hub, teacher)).toBe('cancelled');
  });

  test('a run is not queued again for a teacher that is just failing', async () => {
    const { hub, student, grant } = await claimedTeacher();
    await cancel(student);
    expect(await endingWhile(grant, 'failed', () => reset(student))).toMatchObject({
      message: expect.stringMatching(/which failed. Retry that one first/),
    });
    expect(await statusOf(hub, student)).toBe('cancelled');
  });

  test('nor with one teacher for another that is just failing', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    const runs = await runsOf(hub, await addStudy(hub, makeDesign({ baseline: false, seeds: [1] })));
    const [a, , onlyA, , both] = runs as [string, string, string, string, string];
    const [first, second] = (await claimRuns(hub, hostId, 2)) as [Grant, Grant];
    await new ScriptedAttempt(hub, first).send(started(), failedBy('diverged'));
    await endingWhile(second, 'failed', () => reset(a));
    expect([await statusOf(hub, onlyA), await statusOf(hub, both)]).toEqual(['queued', 'failed']);
  });
});

describe('cancel and retry', () => {
  test('a queued run is cancelled at once; an active one is marked, its host told, and cancelled when it ends', async () => {
    const { hub, hostId, teacher, student, trainer } = await claimedTeacher();
    const nudged: unknown[] = [];
    hub.bus.on('agents:nudge', (host) => nudged.push(host));
    await trainer.send(started());
    expect(await cancel(teacher, student)).toBe(2);
    expect(nudged).toEqual([hostId]);
    expect(await statusOf(hub, student)).toBe('cancelled');
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({
      status: 'running',
      cancelRequestedAt: expect.any(Number),
    });
    const [standing] = await transact(hub, (tx) => settleAttempts(tx, hostId, [{ runId: teacher, attempt: 1 }]));
    expect(standing?.stop).toBe('cancelled');
    await trainer.send(ended({ outcome: 'cancelled', exitCode: 75 }));
    expect(await statusOf(hub, teacher)).toBe('cancelled');
    expect(await cancel(teacher)).toBe(0);
  });

  test('retry gives a fresh allowance, clears the failure, and only ended runs can be retried', async () => {
    const { hub, hostId, teacher, trainer } = await claimedTeacher();
    await expect(reset(teacher)).rejects.toThrow(/this one is claimed/);
    await expect(reset(hub.ids('run'))).rejects.toThrow(/There is no run/);
    await trainer.send(started(), failedBy('trainer_error'));
    await reset(teacher);
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({
      status: 'queued',
      failureCode: null,
      failureMessage: null,
      maxAttempts: 6,
      finishedAt: null,
    });
    const grant = await claimOne(hub, hostId);
    expect(grant.attempt).toBe(2);
    await succeed(hub, grant);
    await expect(reset(teacher)).rejects.toThrow(/this one is succeeded/);
  });
});

describe('P7: leases', () => {
  test('a heartbeat extends exactly the attempts it lists and owns', async () => {
    const { hub, hostId, teacher } = await claimedTeacher();
    const other = await addHost(hub);
    const extend = (host: string, attempt: number) =>
      transact(hub, (tx) => extendLeases(tx, host, [{ runId: teacher, attempt }]));
    await lapseLeases();
    expect(await extend(other, 1)).toEqual([]);
    expect(await extend(hostId, 2)).toEqual([]);
    expect(await extend(hostId, 1)).toHaveLength(1);
    expect(await transact(hub, expireLeases)).toEqual([]);
  });

  test('a lease that ran out queues the run again and files the attempt as lost', async () => {
    const { hub, teacher, trainer } = await claimedTeacher();
    await trainer.send(started());
    expect(await transact(hub, expireLeases)).toEqual([]);
    await lapseLeases();
    expect(await transact(hub, expireLeases)).toEqual([teacher]);
    const run = await loadRunDetail(hub.pool, teacher);
    expect(run).toMatchObject({ status: 'queued', hostId: null });
    expect(run.attempts[0]).toMatchObject({ outcome: 'lost', failureCode: 'host_lost' });
    expect(run.attempts[0]?.message).toBe('Nothing was heard of the host bench for 120 seconds.');
  });

  test('a lost attempt comes back to life while nobody else has its run, and is fenced once somebody has', async () => {
    const { hub, hostId, teacher, trainer } = await claimedTeacher();
    await trainer.send(started(), metrics(1, { 'train/loss': 1 }));
    const ref = [{ runId: teacher, attempt: 1 }];
    const settle = () => transact(hub, (tx) => settleAttempts(tx, hostId, ref));
    await lapseLeases();
    await transact(hub, expireLeases);
    expect(await settle()).toEqual([{ ...ref[0], ackedSeq: 2, stop: null }]);
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({ status: 'running', hostId, attempt: 1 });

    await lapseLeases();
    await transact(hub, expireLeases);
    const other = await addHost(hub);
    expect((await claimOne(hub, other)).attempt).toBe(2);
    expect(await settle()).toEqual([{ ...ref[0], ackedSeq: 2, stop: 'fenced' }]);
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({ status: 'claimed', hostId: other });
  });

  test('a lost run that was cancelled meanwhile stays cancelled, and its trainer is told to stop for that', async () => {
    const { hub, hostId, teacher, trainer } = await claimedTeacher();
    await trainer.send(started());
    await lapseLeases();
    await transact(hub, expireLeases);
    await cancel(teacher);
    const [standing] = await transact(hub, (tx) => settleAttempts(tx, hostId, [{ runId: teacher, attempt: 1 }]));
    expect(standing?.stop).toBe('cancelled');
    expect(await statusOf(hub, teacher)).toBe('cancelled');
  });

  test('a hub that was away itself gives every attempt a full lease first', async () => {
    const { hub, teacher } = await claimedTeacher();
    await lapseLeases();
    await transact(hub, renewAllLeases);
    expect(await transact(hub, expireLeases)).toEqual([]);
    expect(await statusOf(hub, teacher)).toBe('claimed');
  });

  test('what a host does not list in its hello is queued again; what it lists is kept', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    await addStudy(hub, makeDesign());
    const [kept, gone] = await claimRuns(hub, hostId, 2);
    await transact(hub, (tx) => loseUnlisted(tx, hostId, [kept!]));
    expect([await statusOf(hub, kept!.runId), await statusOf(hub, gone!.runId)]).toEqual(['claimed', 'queued']);
  });

  test('a grant that nobody was there to take goes back without using the allowance', async () => {
    const { hub, teacher, grant } = await claimedTeacher();
    await transact(hub, (tx) => releaseClaims(tx, [grant]));
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({ status: 'queued', maxAttempts: 6 });
  });

  test('a host can be removed only when it is not online, and loses what it had', async () => {
    const { hub, hostId, teacher } = await claimedTeacher();
    await expect(removeHost(hub, hostId)).rejects.toThrow(/bench is online/);
    await hub.pool.query("UPDATE hosts SET last_seen_at = now() - interval '1 hour'");
    await removeHost(hub, hostId);
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({ status: 'queued', hostId: null });
    await expect(removeHost(hub, hostId)).rejects.toThrow(/There is no host/);
  });
});

test('every change of a run is published after its commit, as the page shows it', async () => {
  const { hub } = core;
  const seen: RunSummaryView[] = [];
  hub.bus.on('run:changed', (run) => seen.push(run));
  const { teacher, student, trainer } = await claimedTeacher();
  await trainer.send(started(), failedBy('diverged'));
  await until(() => expect(seen.findLast((run) => run.id === student)?.status).toBe('failed'));
  const published = seen.findLast((run) => run.id === teacher);
  expect(published).toEqual(await loadRunSummary(hub.pool, teacher));
});

test('a run that waits is published again when the one it waits for starts or succeeds', async () => {
  const { hub } = core;
  const { grant, student } = await claimedTeacher();
  await settlePublishing(hub);
  const seen: RunSummaryView[] = [];
  hub.bus.on('run:changed', (run) => seen.push(run));
  const waitingFor = () => seen.filter((run) => run.id === student).map((run) => run.waitingFor[0]?.status);
  await succeed(hub, grant);
  await until(() => expect(waitingFor().at(-1)).toBeUndefined());
  expect(waitingFor()).toContain('running');
});
