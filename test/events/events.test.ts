import { describeEvent, type EventKind } from '@mealtable/protocol/events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pruneEvents } from '../../server/events/prune-events.ts';
import { loadNotices, loadStudyEvents } from '../../server/events/read-events.ts';
import { detachHost, removeHost, upsertHost } from '../../server/hosts/host-rows.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { extendEpochs } from '../../server/runs/extend-epochs.ts';
import { expireLeases } from '../../server/runs/lifecycle-lease.ts';
import { requestPause, resumeRuns } from '../../server/runs/lifecycle-pause.ts';
import { requestCancel, retryRun } from '../../server/runs/lifecycle-user.ts';
import { transact } from '../../server/runs/transaction.ts';
import { extendStudy } from '../../server/studies/extend.ts';
import { cancelStudy, removeStudy } from '../../server/studies/manage.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  makeDesign,
  makeReport,
  runsOf,
  ScriptedAttempt,
  smallDesign,
  started,
  succeed,
} from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const ofStudy = async (studyId: string) =>
  (await loadStudyEvents(core.hub.pool, studyId, null, 200)).events.toReversed();
const kindsOf = async (studyId: string) => (await ofStudy(studyId)).map((event) => event.kind);
const countOf = async (kind: EventKind) => {
  const { rows } = await core.hub.pool.query('SELECT count(*)::int AS n FROM events WHERE kind = $1', [kind]);
  return rows[0].n as number;
};
const fail = (grant: { runId: string; attempt: number }) =>
  new ScriptedAttempt(core.hub, grant).send(
    started(),
    ended({ outcome: 'failed', failureCode: 'diverged', message: 'The loss is NaN.', exitCode: 1 }),
  );
/** A planned teacher, its student, and the student alone, which needs nobody: three runs, of which two can be claimed. */
const withBaseline = () => makeDesign({ ...smallDesign(), baseline: true });

describe('a study', () => {
  test('tells its story: created, each run, and finished once with the counts and the best top-1', async () => {
    const hostId = await addHost(core.hub);
    const studyId = await addStudy(core.hub);
    await succeed(core.hub, await claimOne(core.hub, hostId), 95);
    expect(await kindsOf(studyId)).toEqual(['study-created', 'run-succeeded']);
    await succeed(core.hub, await claimOne(core.hub, hostId), 90.5);
    const events = await ofStudy(studyId);
    expect(events.map((event) => event.kind)).toEqual([
      'study-created',
      'run-succeeded',
      'run-succeeded',
      'study-finished',
    ]);
    // The best student, though its teacher is better.
    expect(events.at(-1)).toMatchObject({ succeeded: 2, failed: 0, cancelled: 0, bestTop1: 90.5, studyName: 'study' });
    expect(describeEvent(events.at(-1)!)).toMatch(
      /^All 2 runs have ended: 2 succeeded\. Best top-1: 90\.50 % \(".+"\)\.$/,
    );
  });

  test('says why a run failed, and that others failed with it; a retry that ends again is finished again', async () => {
    const hostId = await addHost(core.hub);
    const studyId = await addStudy(core.hub);
    const first = await claimOne(core.hub, hostId);
    await fail(first);
    expect(await kindsOf(studyId)).toEqual(['study-created', 'run-failed', 'dependents-failed', 'study-finished']);
    const [, failed, dependents, finished] = await ofStudy(studyId);
    expect(failed).toMatchObject({ runId: first.runId, code: 'diverged', message: 'The loss is NaN.' });
    expect(dependents).toMatchObject({ runId: first.runId, runs: 1, fate: 'failed' });
    expect(finished).toMatchObject({ succeeded: 0, failed: 2, bestTop1: null, bestLabel: null });
    await transact(core.hub, (tx) => retryRun(tx, first.runId));
    expect((await ofStudy(studyId)).at(-1)).toMatchObject({ kind: 'run-retried', others: 1 });
    await succeed(core.hub, await claimOne(core.hub, hostId));
    expect(await countOf('study-finished')).toBe(1);
    await succeed(core.hub, await claimOne(core.hub, hostId));
    expect(await countOf('study-finished')).toBe(2);
  });

  test('finishes exactly once when its last runs end in the same moment', async () => {
    const hostId = await addHost(core.hub, { slots: 4 });
    for (let round = 0; round < 5; round++) {
      const studyId = await addStudy(core.hub, withBaseline());
      const last = await claimRuns(core.hub, hostId, 4);
      expect(last).toHaveLength(2);
      await Promise.all(last.map(fail));
      expect(
        (await kindsOf(studyId)).filter((kind) => kind === 'study-finished'),
        `round ${round}`,
      ).toHaveLength(1);
    }
  });

  test('that is cancelled says so once, and is finished when what ran has stopped', async () => {
    const hostId = await addHost(core.hub);
    const studyId = await addStudy(core.hub, withBaseline());
    const grant = await claimOne(core.hub, hostId);
    await cancelStudy(core.hub, studyId, 'Ada');
    expect(await kindsOf(studyId)).toEqual(['study-created', 'cancel-requested', 'runs-cancelled']);
    const [, requested, cancelled] = await ofStudy(studyId);
    expect(requested).toMatchObject({ runs: 1, runId: grant.runId, by: 'Ada' });
    expect(cancelled).toMatchObject({ runs: 2, runId: null, by: 'Ada' });
    await cancelStudy(core.hub, studyId, 'Ada');
    await new ScriptedAttempt(core.hub, grant).send(ended({ outcome: 'cancelled' }));
    expect((await kindsOf(studyId)).slice(3)).toEqual(['runs-cancelled', 'study-finished']);
    expect((await ofStudy(studyId)).at(-1)).toMatchObject({ cancelled: 3 });
  });

  test('says who paused, resumed, extended, retried what, once and only where something changed', async () => {
    const hostId = await addHost(core.hub, { stopReasons: ['paused'] });
    const studyId = await addStudy(core.hub, withBaseline());
    await claimOne(core.hub, hostId);
    const runs = await runsOf(core.hub, studyId);
    for (let i = 0; i < 2; i++) {
      await transact(core.hub, (tx) => requestPause(tx, runs, null, 'Ada'));
      await transact(core.hub, (tx) => resumeRuns(tx, runs, 'Bob'));
    }
    await transact(core.hub, (tx) => resumeRuns(tx, runs, 'Bob'));
    for (let i = 0; i < 2; i++)
      await transact(core.hub, (tx) => extendEpochs(tx, { runIds: runs.slice(1, 2) }, 9, 'Ada'));
    await transact(core.hub, (tx) => requestCancel(tx, runs.slice(1, 2), 'Ada'));
    await transact(core.hub, (tx) => retryRun(tx, runs[1]!, 'Bob'));
    const told = (await ofStudy(studyId)).slice(1).map((event) => [event.kind, describeEvent(event)]);
    expect(told).toEqual([
      ['runs-paused', '3 runs were paused by Ada.'],
      ['runs-resumed', '3 runs were resumed by Bob.'],
      ['runs-paused', '3 runs were paused by Ada.'],
      ['runs-resumed', '3 runs were resumed by Bob.'],
      ['epochs-extended', expect.stringMatching(/^".+" \(seed 1\) was given 9 epochs in all by Ada\.$/)],
      ['runs-cancelled', expect.stringMatching(/^".+" \(seed 1\) was cancelled by Ada\.$/)],
      ['run-retried', expect.stringMatching(/^".+" \(seed 1\) was queued again by Bob\.$/)],
    ]);
  });

  test('that is extended says by how much, and takes its events with it when it is removed', async () => {
    await addHost(core.hub);
    const studyId = await addStudy(core.hub);
    await extendStudy(core.hub, studyId, makeDesign({ ...smallDesign(), seeds: [1, 2] }));
    await extendStudy(core.hub, studyId, makeDesign({ ...smallDesign(), seeds: [1, 2] }));
    expect(await kindsOf(studyId)).toEqual(['study-created', 'runs-added']);
    expect((await ofStudy(studyId))[1]).toMatchObject({ runs: 1 });
    await transact(core.hub, async (tx) => requestCancel(tx, await runsOf(core.hub, studyId)));
    await removeStudy(core.hub, studyId);
    expect((await core.hub.pool.query('SELECT 1 FROM events WHERE study_id IS NOT NULL')).rowCount).toBe(0);
  });

  test('is read page by page', async () => {
    await addHost(core.hub);
    const studyId = await addStudy(core.hub);
    const [teacher] = await runsOf(core.hub, studyId);
    for (let i = 0; i < 3; i++) {
      await transact(core.hub, (tx) => requestCancel(tx, [teacher!]));
      await transact(core.hub, (tx) => retryRun(tx, teacher!));
    }
    const all = await loadStudyEvents(core.hub.pool, studyId, null, 200);
    expect(all.hasOlder).toBe(false);
    const newest = await loadStudyEvents(core.hub.pool, studyId, null, 4);
    expect(newest).toEqual({ events: all.events.slice(0, 4), hasOlder: true });
    const rest = await loadStudyEvents(core.hub.pool, studyId, newest.events.at(-1)!.id, 200);
    expect(rest).toEqual({ events: all.events.slice(4), hasOlder: false });
  });

  test('keeps an event only with its change: nothing of a transaction that fails is told', async () => {
    await addHost(core.hub);
    const studyId = await addStudy(core.hub);
    const told: EventKind[] = [];
    core.hub.bus.on('event:noted', (event) => told.push(event.kind));
    const work = transact(core.hub, async (tx) => {
      await requestCancel(tx, await runsOf(core.hub, studyId));
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(told).toEqual([]);
    expect(await kindsOf(studyId)).toEqual(['study-created']);
    await transact(core.hub, async (tx) => requestCancel(tx, await runsOf(core.hub, studyId)));
    expect(told).toEqual(['runs-cancelled', 'study-finished']);
  });
});

describe('a host', () => {
  const lapse = () => core.hub.pool.query("UPDATE runs SET lease_expires_at = now() - interval '1 second'");
  const eventsOf = async () => {
    const { rows } = await core.hub.pool.query(`SELECT kind, detail FROM events WHERE kind LIKE 'host-%' ORDER BY id`);
    return rows.map(({ kind, detail }) => ({ kind, ...detail }));
  };

  test('is attached when it is new or was away, and detached once', async () => {
    const hostId = await addHost(core.hub, { name: 'alpha' });
    const hello = () => transact(core.hub, (tx) => upsertHost(tx, hostId, '1.0.0', makeReport({ name: 'alpha' })));
    await hello();
    await detachHost(core.hub, hostId);
    await detachHost(core.hub, hostId);
    await hello();
    expect(await eventsOf()).toEqual([
      { kind: 'host-attached', host: 'alpha', isNew: true },
      { kind: 'host-detached', host: 'alpha' },
      { kind: 'host-attached', host: 'alpha', isNew: false },
    ]);
  });

  test('is lost once for all attempts that are taken from it, until it is heard of again', async () => {
    const hostId = await addHost(core.hub, { name: 'alpha', slots: 4 });
    await addStudy(core.hub, withBaseline());
    await claimRuns(core.hub, hostId, 4);
    await core.hub.pool.query("UPDATE hosts SET last_seen_at = now() - interval '3 minutes'");
    await lapse();
    await transact(core.hub, expireLeases);
    expect((await eventsOf()).at(-1)).toEqual({
      kind: 'host-lost',
      host: 'alpha',
      runs: 2,
      reason: 'Nothing was heard of it for 120 seconds.',
    });
    // A claim that lapsed later belongs to the same silence.
    await claimRuns(core.hub, hostId, 1);
    await lapse();
    await transact(core.hub, expireLeases);
    expect(await countOf('host-lost')).toBe(1);
    await core.hub.pool.query('UPDATE hosts SET last_seen_at = now()');
    await claimRuns(core.hub, hostId, 1);
    await lapse();
    await transact(core.hub, expireLeases);
    expect(await countOf('host-lost')).toBe(2);
  });

  test('that is taken off the list with attempts on it is named in the event all the same', async () => {
    const hostId = await addHost(core.hub, { name: 'alpha' });
    await addStudy(core.hub);
    await claimOne(core.hub, hostId);
    await core.hub.pool.query("UPDATE hosts SET last_seen_at = now() - interval '1 minute'");
    await removeHost(core.hub, hostId);
    const [notice] = await loadNotices(core.hub.pool, 1);
    expect(notice).toMatchObject({ kind: 'host-lost', host: 'alpha', runs: 1, hostId: null });
    expect(describeEvent(notice!)).toBe('alpha lost 1 run. It was taken off the list.');
  });
});

test('old events of no study are pruned; those of a study stay as long as it does', async () => {
  await addHost(core.hub);
  const studyId = await addStudy(core.hub);
  await pruneEvents(core.hub.pool);
  expect(await countOf('host-attached')).toBe(1);
  await core.hub.pool.query("UPDATE events SET at = now() - interval '91 days'");
  await pruneEvents(core.hub.pool);
  expect(await countOf('host-attached')).toBe(0);
  expect(await kindsOf(studyId)).toEqual(['study-created']);
});
