/** What people do to runs: pause, resume, retry many, priority, more epochs; each edge once, whoever is faster. */
import type { HostReport } from '@mealtable/protocol/agent-messages';
import { REST_AFTER_FAILURES } from '@mealtable/protocol/tunables';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { wakeHost } from '../../server/hosts/manage.ts';
import { listHosts } from '../../server/hosts/view.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { loadRunDetail } from '../../server/runs/detail.ts';
import { extendEpochs } from '../../server/runs/extend-epochs.ts';
import { expireLeases } from '../../server/runs/lifecycle-lease.ts';
import { requestPause, resumeRuns } from '../../server/runs/lifecycle-pause.ts';
import { requestCancel, retryRuns } from '../../server/runs/lifecycle-user.ts';
import { settleAttempts } from '../../server/runs/standing.ts';
import { transact } from '../../server/runs/transaction.ts';
import { setPriority } from '../../server/runs/wishes.ts';
import { loadStudyView } from '../../server/studies/view.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  makeCheckpoint,
  makeDesign,
  runsOf,
  ScriptedAttempt,
  started,
  statusOf,
  succeed,
  uploadCheckpoint,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const pause = (...runIds: string[]) => transact(core.hub, (tx) => requestPause(tx, runIds, null));
const resume = (...runIds: string[]) => transact(core.hub, (tx) => resumeRuns(tx, runIds));
const cancel = (...runIds: string[]) => transact(core.hub, (tx) => requestCancel(tx, runIds));
const PAUSES: Partial<HostReport> = { stopReasons: ['fenced', 'cancelled', 'paused'] };

async function claimedTeacher(report: Partial<HostReport> = PAUSES) {
  const { hub } = core;
  const hostId = await addHost(hub, report);
  const [teacher] = (await runsOf(hub, await addStudy(hub))) as [string];
  const ref = { runId: teacher, attempt: (await claimOne(hub, hostId)).attempt };
  const stop = async () => (await transact(hub, (tx) => settleAttempts(tx, hostId, [ref])))[0]?.stop;
  return { hub, hostId, teacher, ref, stop, trainer: new ScriptedAttempt(hub, ref) };
}

describe('a pause', () => {
  test('asks an active run to stop, and holds it with its checkpoint until it is resumed', async () => {
    const { hub, hostId, teacher, stop, trainer } = await claimedTeacher();
    const checkpoint = makeCheckpoint(hub, 10, 70);
    await trainer.send(started(), checkpoint.record);
    await uploadCheckpoint(hub, checkpoint);
    expect(await stop()).toBeNull();
    expect(await pause(teacher)).toEqual({ changed: 1, tooOld: [] });
    expect(await pause(teacher)).toEqual({ changed: 0, tooOld: [] });
    expect(await stop()).toBe('paused');
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({ status: 'running', heldAt: null });
    await trainer.send(ended({ outcome: 'interrupted', exitCode: 75 }));
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({
      status: 'queued',
      heldAt: expect.any(Number),
      pauseRequestedAt: null,
      maxAttempts: 6,
    });
    expect(await claimRuns(hub, hostId, 1)).toEqual([]);
    expect([await resume(teacher), await resume(teacher)]).toEqual([1, 0]);
    expect(await claimOne(hub, hostId)).toMatchObject({ runId: teacher, resume: { stepsCompleted: 10 } });
  });

  test('that is taken back in time stops nothing; a cancel goes before it', async () => {
    const { teacher, stop } = await claimedTeacher();
    await pause(teacher);
    await resume(teacher);
    expect(await stop()).toBeNull();
    await pause(teacher);
    await cancel(teacher);
    expect(await stop()).toBe('cancelled');
  });

  test('is not asked of an agent that would take it for a cancel: the run trains on, and the answer names the host', async () => {
    const { teacher, stop } = await claimedTeacher({ name: 'old machine' });
    expect(await pause(teacher)).toEqual({ changed: 0, tooOld: [{ runId: teacher, hostName: 'old machine' }] });
    expect(await stop()).toBeNull();
  });

  test('never reaches an agent that was replaced by an older one in the meantime', async () => {
    const { hub, teacher, stop } = await claimedTeacher();
    await pause(teacher);
    await hub.pool.query(`UPDATE hosts SET report = report - 'stopReasons'`);
    expect(await stop()).toBeNull();
    expect(await statusOf(hub, teacher)).toBe('claimed');
  });

  test('holds a run whose host is lost meanwhile, and one that comes back is asked again', async () => {
    const { hub, hostId, teacher, ref } = await claimedTeacher();
    await pause(teacher);
    await hub.pool.query(`UPDATE runs SET lease_expires_at = now() - interval '1 second'`);
    await transact(hub, expireLeases);
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({ status: 'queued', heldAt: expect.any(Number) });
    expect(await transact(hub, (tx) => settleAttempts(tx, hostId, [ref]))).toMatchObject([{ stop: 'paused' }]);
    expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({ status: 'claimed', heldAt: null });
  });

  test('and a claim, a resume and an ending at once: the run is never both held and active, and never lost', async () => {
    const { hub } = core;
    const hostId = await addHost(hub, PAUSES);
    const [run] = (await runsOf(hub, await addStudy(hub))) as [string];
    for (let i = 0; i < 30; i++) {
      await Promise.all([claimRuns(hub, hostId, 1), pause(run), i % 3 === 0 && resume(run)]);
      let now = await loadRunDetail(hub.pool, run);
      expect([now.status === 'claimed' && now.heldAt !== null, ['queued', 'claimed'].includes(now.status)]).toEqual([
        false,
        true,
      ]);
      if (now.status === 'claimed') {
        const trainer = new ScriptedAttempt(hub, { runId: run, attempt: now.attempt });
        await Promise.all([trainer.send(ended({ outcome: 'interrupted' })), pause(run)]);
        now = await loadRunDetail(hub.pool, run);
        expect(now).toMatchObject({ status: 'queued', heldAt: expect.any(Number), pauseRequestedAt: null });
      }
      await resume(run);
    }
  });
});

test('retrying a selection takes what others need first, and says what cannot be tried', async () => {
  const { hub } = core;
  const hostId = await addHost(hub);
  const runs = await runsOf(hub, await addStudy(hub, makeDesign({ seeds: [1] })));
  const [a, b] = await claimRuns(hub, hostId, 2);
  await cancel(...runs);
  for (const { runId } of [a!, b!])
    await new ScriptedAttempt(hub, { runId, attempt: 1 }).send(ended({ outcome: 'cancelled' }));
  const students = runs.slice(3);
  const refused = await transact(hub, (tx) => retryRuns(tx, students));
  expect(refused).toMatchObject({ changed: 0 });
  expect(refused.problems[0]).toMatch(/needs "a .resnet18_w16.", which was cancelled. Retry that one first/);
  expect(await transact(hub, (tx) => retryRuns(tx, runs.toReversed()))).toEqual({ changed: runs.length, problems: [] });
  expect(await transact(hub, (tx) => retryRuns(tx, runs))).toEqual({ changed: 0, problems: [] });
});

test('a higher priority is taken first; saying it twice changes nothing', async () => {
  const { hub } = core;
  const hostId = await addHost(hub);
  const [, second] = (await runsOf(hub, await addStudy(hub, makeDesign()))) as [string, string];
  expect(await transact(hub, (tx) => setPriority(tx, [second], 1))).toBe(1);
  expect(await transact(hub, (tx) => setPriority(tx, [second], 1))).toBe(0);
  expect((await claimOne(hub, hostId)).runId).toBe(second);
});

describe('more epochs', () => {
  test('queue what has succeeded again from its latest checkpoint; the study’s design and later runs follow', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    const studyId = await addStudy(hub);
    const [teacher, student] = (await runsOf(hub, studyId)) as [string, string];
    await succeed(hub, await claimOne(hub, hostId));
    await succeed(hub, await claimOne(hub, hostId), 80);
    expect(await transact(hub, (tx) => extendEpochs(tx, { studyId }, 5))).toEqual({ changed: 1, queued: 1 });
    expect((await loadStudyView(hub.pool, studyId)).design).toMatchObject({ epochs: 5, planned: [{ epochs: 2 }] });
    expect(await statusOf(hub, teacher)).toBe('succeeded');
    const run = await loadRunDetail(hub.pool, student);
    expect(run).toMatchObject({ status: 'queued', epochs: 5, totalSteps: 50, stepsCompleted: 30, bestTop1: 80 });
    const grant = await claimOne(hub, hostId);
    expect(grant).toMatchObject({ runId: student, config: { epochs: 5 }, resume: { stepsCompleted: 30 } });
    await expect(transact(hub, (tx) => extendEpochs(tx, { studyId }, 5))).rejects.toThrow(/has 5 epochs already/);
  });

  test('let a run under way end its epochs first, whichever of the two is faster', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    for (let i = 0; i < 5; i++) {
      const [teacher] = (await runsOf(hub, await addStudy(hub))) as [string];
      const grant = await claimOne(hub, hostId);
      const trainer = new ScriptedAttempt(hub, grant);
      const checkpoint = makeCheckpoint(hub, 30, 80);
      await trainer.send(started(), checkpoint.record);
      await uploadCheckpoint(hub, checkpoint);
      await Promise.all([trainer.send(ended()), transact(hub, (tx) => extendEpochs(tx, { runIds: [teacher] }, 6))]);
      expect(await loadRunDetail(hub.pool, teacher)).toMatchObject({
        status: 'queued',
        attempts: [{ outcome: 'succeeded' }],
      });
      expect((await claimOne(hub, hostId)).resume?.stepsCompleted).toBe(30);
    }
  });

  test('are not asked for again and again of a trainer that has nothing left to do', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    const [teacher] = (await runsOf(hub, await addStudy(hub))) as [string];
    await succeed(hub, await claimOne(hub, hostId));
    await transact(hub, (tx) => extendEpochs(tx, { runIds: [teacher] }, 6));
    const grant = await claimOne(hub, hostId);
    expect(grant).toMatchObject({ runId: teacher, resume: { stepsCompleted: 30 } });
    // It believes that the epochs of before are all there are.
    await new ScriptedAttempt(hub, grant).send(started(30), ended());
    expect(await statusOf(hub, teacher)).toBe('succeeded');
  });
});

describe('the flap guard', () => {
  const fail = async (hostId: string, failureCode: string) => {
    const { hub } = core;
    const { runId, attempt } = await claimOne(hub, hostId);
    await new ScriptedAttempt(hub, { runId, attempt }).send(
      ended({ outcome: 'failed', failureCode: failureCode as never, message: 'No driver.' }),
    );
  };
  const restOf = async () => (await listHosts(core.hub.pool))[0];

  test('rests a host on which run after run fails at once; waking it forgives them', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    await addStudy(hub, makeDesign({ seeds: Array.from({ length: 8 }, (_, i) => i) }));
    for (let i = 1; i < REST_AFTER_FAILURES; i++) await fail(hostId, 'trainer_error');
    expect((await restOf())?.restingUntil).toBeNull();
    await fail(hostId, 'trainer_error');
    expect(await restOf()).toMatchObject({ restingUntil: expect.any(Number) });
    expect((await restOf())?.restReason).toMatch(
      /3 runs in a row failed here within minutes, the last one with: No driver/,
    );
    expect(await claimRuns(hub, hostId, 1)).toEqual([]);
    await wakeHost(hub, hostId);
    await fail(hostId, 'trainer_error');
    expect(await restOf()).toMatchObject({ restingUntil: null, restReason: null });
  });

  test('counts neither diverged runs nor one run that fails again and again, and a success ends it', async () => {
    const { hub } = core;
    const hostId = await addHost(hub);
    await addStudy(hub, makeDesign({ seeds: Array.from({ length: 8 }, (_, i) => i) }));
    for (let i = 0; i < 4; i++) await fail(hostId, 'diverged');
    for (let i = 0; i < 4; i++) await fail(hostId, 'trainer_killed');
    expect((await restOf())?.restingUntil).toBeNull();
    const [last] = (await claimRuns(hub, hostId, 2)).slice(1);
    await hub.pool.query(`UPDATE hosts SET resting_until = now() + interval '1 hour', rest_reason = 'X.'`);
    await succeed(hub, last!);
    expect(await restOf()).toMatchObject({ restingUntil: null, restReason: null });
  });
});
