/**
 * P13: every edge of a run's status, taken by several at the same moment, a hundred times each. One of them has it, the others
 * are told so, and the rows say one and the same thing. A new edge is a new entry in RACES.
 */
import type { AttemptOutcome, FailureCode } from '@mealtable/protocol/statuses';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { extendEpochs } from '../../server/runs/extend-epochs.ts';
import * as attemptEdges from '../../server/runs/lifecycle.ts';
import * as dependentEdges from '../../server/runs/lifecycle-dependents.ts';
import * as leaseEdges from '../../server/runs/lifecycle-lease.ts';
import * as pauseEdges from '../../server/runs/lifecycle-pause.ts';
import * as userEdges from '../../server/runs/lifecycle-user.ts';
import { type CoreHub, type Tx, transact } from '../../server/runs/transaction.ts';
import {
  addHost,
  addStudy,
  type Core,
  createCore,
  RecordNumbers,
  runsOf,
  settlePublishing,
  started,
} from '../support/core.ts';
import {
  EPOCHS,
  expectConsistent,
  lookAtRun,
  type PutRun,
  putRun,
  type RunRow,
  type State,
} from './support/run-states.ts';

const ROUNDS = 100;
/** One more than the run has. */
const MORE_EPOCHS = EPOCHS + 1;
const { startRun, finishAttempt } = attemptEdges;
const { expireLeases, extendLeases, loseHost, loseUnlisted, releaseClaims, renewAllLeases, reviveAttempt } = leaseEdges;
const { requestCancel, retryRun } = userEdges;
const { requestPause, resumeRuns } = pauseEdges;

let core: Core;
let hosts: string[];
let run: string;
let dependent: string;
beforeAll(async () => {
  core = await createCore();
  const report = { stopReasons: ['paused'] };
  hosts = [await addHost(core.hub, report), await addHost(core.hub, report), await addHost(core.hub, report)];
  [run, dependent] = (await runsOf(core.hub, await addStudy(core.hub))) as [string, string];
});
afterAll(() => core.close());

// ---- what is raced -------------------------------------------------------------------------------------------------

/** Tries to take an edge. True when it did. */
type Contestant = (hub: CoreHub) => Promise<boolean>;
interface Race {
  from: State;
  /** Whose lease is over before the race begins. */
  lapsed?: boolean;
  contestants: Record<string, Contestant>;
  /** How many may win: one, unless they can follow each other. */
  winners?: readonly number[];
  /** What must be true then. @param won names of those who won */
  leaves: (run: RunRow, won: string[]) => void;
}

const ids = (): PutRun => ({ run, dependent, host: hosts[0]! });
const ref = () => ({ runId: run, attempt: 1 });
const inTx =
  (edge: (tx: Tx) => Promise<unknown>): Contestant =>
  async (hub) => {
    const result = await transact(hub, edge);
    return Array.isArray(result) ? result.length > 0 : Boolean(result);
  };
const claims =
  (host: number): Contestant =>
  async (hub) =>
    (await claimRuns(hub, hosts[host]!, 1)).length > 0;
const starts = inTx((tx) => startRun(tx, run, 1, new RecordNumbers().number(started()) as never));
const ends = (outcome: AttemptOutcome, failureCode: FailureCode | null = null) =>
  inTx((tx) => finishAttempt(tx, run, 1, { outcome, failureCode, message: 'X.', exitCode: null, signal: null }));
const isKilled = ends('failed', 'trainer_killed');
const expires = inTx(expireLeases);
const beats = inTx((tx) => extendLeases(tx, hosts[0]!, [ref()]));
const isUnlisted = inTx((tx) => loseUnlisted(tx, hosts[0]!, []));
const hostGoes = inTx((tx) => loseHost(tx, hosts[0]!));
const revives = (host: string | null = null) => inTx((tx) => reviveAttempt(tx, host, ref()));
const cancels = inTx((tx) => requestCancel(tx, [run]));
const pauses = inTx(async (tx) => (await requestPause(tx, [run], null)).changed);
const resumes = inTx((tx) => resumeRuns(tx, [run]));
const extendsEpochs = inTx(async (tx) => (await extendEpochs(tx, { runIds: [run] }, MORE_EPOCHS)).changed);
const isConflict = (error: unknown) => {
  expect(error).toMatchObject({ message: expect.stringMatching(/Only a failed or cancelled run/) });
  return false;
};
const retries: Contestant = (hub) => transact(hub, (tx) => retryRun(tx, run)).then(() => true, isConflict);
/** These two always do what they do, and say nothing of it. */
const releases: Contestant = async (hub) => {
  await transact(hub, (tx) => releaseClaims(tx, [ref()]));
  return (await lookAtRun(core.hub, ids())).outcome === 'interrupted';
};
const renews: Contestant = async (hub) => {
  await transact(hub, renewAllLeases);
  return false;
};

const RACES: Record<string, Race> = {
  'queued -> claimed: of three hosts one gets the run': {
    from: 'queued',
    contestants: { first: claims(0), second: claims(1), third: claims(2) },
    leaves: (row, [who]) =>
      expect(row).toMatchObject({
        status: 'claimed',
        attempt: 1,
        host_id: hosts[['first', 'second', 'third'].indexOf(who!)],
      }),
  },
  'queued -> claimed or cancelled: a claim that wins is marked': {
    from: 'queued',
    winners: [1, 2],
    contestants: { claim: claims(0), cancel: cancels },
    leaves: (row, won) =>
      expect(row).toMatchObject({ status: won.includes('claim') ? 'claimed' : 'cancelled', isMarked: true }),
  },
  'claimed -> running: a started record that comes thrice': {
    from: 'claimed',
    contestants: { first: starts, again: starts, late: starts },
    leaves: (row) => expect(row).toMatchObject({ status: 'running', attempt: 1 }),
  },
  'claimed -> running or queued: the start and the end of the lease': {
    from: 'claimed',
    lapsed: true,
    winners: [1, 2],
    contestants: { start: starts, expiry: expires },
    leaves: (row, won) => expect(row.status).toBe(won.includes('expiry') ? 'queued' : 'running'),
  },
  'claimed -> queued: a grant that found nobody, and a hello without it': {
    from: 'claimed',
    contestants: { release: releases, hello: isUnlisted },
    leaves: (row, [who]) =>
      expect(row).toMatchObject({ status: 'queued', outcome: who === 'hello' ? 'lost' : 'interrupted' }),
  },
  'running -> ended: four endings, and one decides': {
    from: 'running',
    contestants: {
      failed: ends('failed', 'diverged'),
      killed: isKilled,
      interrupted: ends('interrupted'),
      cancelled: ends('cancelled'),
    },
    leaves: (row, [who]) => {
      const fate = { failed: 'failed', killed: 'queued', interrupted: 'queued', cancelled: 'cancelled' }[who!];
      expect(row).toMatchObject({ status: fate, outcome: who === 'killed' ? 'failed' : who });
    },
  },
  'running -> queued: its own end, the end of its lease, a hello without it, and its host taken off the list': {
    from: 'running',
    lapsed: true,
    contestants: { end: isKilled, expiry: expires, hello: isUnlisted, removal: hostGoes },
    leaves: (row, [who]) => expect(row).toMatchObject({ status: 'queued', outcome: who === 'end' ? 'failed' : 'lost' }),
  },
  'running -> queued: three sweeps at once': {
    from: 'running',
    lapsed: true,
    contestants: { first: expires, second: expires, third: expires },
    leaves: (row) => expect(row).toMatchObject({ status: 'queued', outcome: 'lost' }),
  },
  'running, its lease over: a heartbeat or the sweep': {
    from: 'running',
    lapsed: true,
    contestants: { heartbeat: beats, expiry: expires },
    leaves: (row, [who]) => expect(row.status).toBe(who === 'heartbeat' ? 'running' : 'queued'),
  },
  'running, its lease over: a hub that starts, or the sweep': {
    from: 'running',
    lapsed: true,
    winners: [0, 1],
    contestants: { start: renews, expiry: expires },
    leaves: (row, won) => expect(row.status).toBe(won.includes('expiry') ? 'queued' : 'running'),
  },
  'running -> cancelled: a cancel beside an interruption is not forgotten': {
    from: 'running',
    winners: [2],
    contestants: { end: ends('interrupted'), cancel: cancels },
    leaves: (row) => expect(row).toMatchObject({ status: 'cancelled', isMarked: true }),
  },
  'running -> cancelled: the cancels of three people are one': {
    from: 'running',
    contestants: { first: cancels, second: cancels, third: cancels },
    leaves: (row) => expect(row).toMatchObject({ status: 'running', isMarked: true }),
  },
  'lost -> running or claimed: the host comes back while another one asks': {
    from: 'lost',
    contestants: { back: revives(), other: claims(1) },
    leaves: (row, [who]) =>
      expect(row).toMatchObject({ attempt: who === 'back' ? 1 : 2, host_id: hosts[who === 'back' ? 0 : 1] }),
  },
  'lost -> running: a hello, a heartbeat and records bring it back once': {
    from: 'lost',
    contestants: { hello: revives(), heartbeat: revives(), records: revives() },
    leaves: (row) => expect(row).toMatchObject({ status: 'running', attempt: 1, outcome: null }),
  },
  'lost -> running or cancelled: the host comes back while somebody cancels': {
    from: 'lost',
    winners: [1, 2],
    contestants: { back: revives(), cancel: cancels },
    leaves: (row, won) =>
      expect(row).toMatchObject({ status: won.includes('back') ? 'running' : 'cancelled', isMarked: true }),
  },
  'failed -> queued: three people retry, and what waits for it is queued with it': {
    from: 'failed',
    contestants: { first: retries, second: retries, third: retries },
    leaves: (row) => expect(row).toMatchObject({ status: 'queued', dependent: 'queued' }),
  },
  'failed -> queued: a retry and a cancel': {
    from: 'failed',
    winners: [1, 2],
    contestants: { retry: retries, cancel: cancels },
    leaves: (row, won) => expect(row.status).toBe(won.includes('cancel') ? 'cancelled' : 'queued'),
  },
  'queued -> held or claimed: a claim that wins is asked to pause': {
    from: 'queued',
    winners: [1, 2],
    contestants: { claim: claims(0), pause: pauses },
    leaves: (row, won) => {
      const isClaimed = won.includes('claim');
      expect(won).toContain('pause');
      expect(row).toMatchObject({
        status: isClaimed ? 'claimed' : 'queued',
        isHeld: !isClaimed,
        isPauseAsked: isClaimed,
      });
    },
  },
  'running -> held: a pause beside an interruption is not forgotten': {
    from: 'running',
    winners: [2],
    contestants: { end: ends('interrupted'), pause: pauses },
    leaves: (row) => expect(row).toMatchObject({ status: 'queued', isHeld: true }),
  },
  'running -> held: the pauses of three people are one': {
    from: 'running',
    contestants: { first: pauses, second: pauses, third: pauses },
    leaves: (row) => expect(row).toMatchObject({ status: 'running', isPauseAsked: true }),
  },
  'held -> queued: three people let it go on': {
    from: 'held',
    contestants: { first: resumes, second: resumes, third: resumes },
    leaves: (row) => expect(row).toMatchObject({ status: 'queued', isHeld: false }),
  },
  'held -> cancelled: whoever lets it go on meanwhile': {
    from: 'held',
    winners: [1, 2],
    contestants: { cancel: cancels, resume: resumes },
    leaves: (row) => expect(row).toMatchObject({ status: 'cancelled', isMarked: true }),
  },
  'succeeded -> queued: three people want the same number of epochs': {
    from: 'succeeded',
    contestants: { first: extendsEpochs, second: extendsEpochs, third: extendsEpochs },
    leaves: (row) => expect(row).toMatchObject({ status: 'queued', attempt: 1 }),
  },
  'the one that waits -> failed or cancelled: its teacher fails while it is cancelled': {
    from: 'running',
    winners: [1, 2],
    contestants: { end: ends('failed', 'diverged'), cancel: inTx((tx) => requestCancel(tx, [dependent])) },
    leaves: (row, won) => {
      expect(row.status).toBe('failed');
      expect(row.dependent).toBe(won.includes('cancel') ? 'cancelled' : 'failed');
    },
  },
};

/** Functions of the lifecycle that are no edges of their own, and the edge that they are part of. */
const PARTS = {
  announceDependents: 'finishAttempt',
  failDependents: 'finishAttempt',
  requeueDependents: 'retryRun',
  retryRuns: 'retryRun',
};
/** All that RACES takes part in. */
const RACED = {
  ...{ startRun, finishAttempt, expireLeases, extendLeases, loseHost, loseUnlisted, releaseClaims, renewAllLeases },
  ...{ reviveAttempt, requestCancel, retryRun, requestPause, resumeRuns },
};

// ---- the races -----------------------------------------------------------------------------------------------------

test.each(Object.entries(RACES))(`P13: %s (${ROUNDS} times)`, { timeout: 120_000 }, async (_name, race) => {
  const names = Object.keys(race.contestants);
  const winners = race.winners ?? [1];
  for (let round = 0; round < ROUNDS; round++) {
    await putRun(core.hub, ids(), race.from, race.lapsed ?? false);
    const hub = startTogether(names.length);
    // Everybody is first once in a while.
    const order = names.map((_, i) => names[(i + round) % names.length]!);
    const results = await Promise.all(order.map((name) => race.contestants[name]!(hub)));
    const won = order.filter((_, i) => results[i]);
    expect(winners, `winners of round ${round}: ${won.join(', ') || 'nobody'}`).toContain(won.length);
    const row = await lookAtRun(core.hub, ids());
    race.leaves(row, won);
    expectConsistent(row);
  }
  await settlePublishing(core.hub);
});

test('P13: every function that changes a status takes part in a race', () => {
  const modules: object[] = [attemptEdges, dependentEdges, leaseEdges, pauseEdges, userEdges];
  const exported = modules.flatMap((module) => Object.entries(module));
  const edges = exported.flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  expect(edges.filter((name) => !(name in RACED) && !(name in PARTS))).toEqual([]);
});

/** A hub whose transactions begin all at the same moment, once `count` of them are there. */
function startTogether(count: number): CoreHub {
  const { hub } = core;
  let release = () => {};
  let waiting = 0;
  const all = new Promise<void>((resolve) => {
    release = resolve;
  });
  const connect = async () => {
    const client = await hub.pool.connect();
    if (++waiting >= count) release();
    await all;
    return client;
  };
  const pool = { connect, query: hub.pool.query.bind(hub.pool) } as unknown as pg.Pool;
  return { ...hub, pool };
}
