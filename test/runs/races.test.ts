/**
 * P13: every edge of a run's status, taken by several at the same moment, a hundred times each. One of them has it, the others
 * are told so, and the rows say one and the same thing. A new edge is a new entry in RACES.
 */
import type { AttemptOutcome, FailureCode, RunStatus } from '@mealtable/protocol/statuses';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import * as attemptEdges from '../../server/runs/lifecycle.ts';
import * as dependentEdges from '../../server/runs/lifecycle-dependents.ts';
import * as leaseEdges from '../../server/runs/lifecycle-lease.ts';
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

const ROUNDS = 100;
const { startRun, finishAttempt } = attemptEdges;
const { expireLeases, extendLeases, loseHost, loseUnlisted, releaseClaims, renewAllLeases, reviveAttempt } = leaseEdges;
const { requestCancel, retryRun } = userEdges;

let core: Core;
let hosts: string[];
let run: string;
let dependent: string;
beforeAll(async () => {
  core = await createCore();
  hosts = [await addHost(core.hub), await addHost(core.hub), await addHost(core.hub)];
  [run, dependent] = (await runsOf(core.hub, await addStudy(core.hub))) as [string, string];
});
afterAll(() => core.close());

// ---- what is raced -------------------------------------------------------------------------------------------------

/** Tries to take an edge. True when it did. */
type Contestant = (hub: CoreHub) => Promise<boolean>;
interface RunRow {
  status: RunStatus;
  attempt: number;
  host_id: string | null;
  isMarked: boolean;
  outcome: AttemptOutcome | null;
  dependent: RunStatus;
}
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
const isConflict = (error: unknown) => {
  expect(error).toMatchObject({ message: expect.stringMatching(/Only a failed or cancelled run/) });
  return false;
};
const retries: Contestant = (hub) => transact(hub, (tx) => retryRun(tx, run)).then(() => true, isConflict);
/** These two always do what they do, and say nothing of it. */
const releases: Contestant = async (hub) => {
  await transact(hub, (tx) => releaseClaims(tx, [ref()]));
  return (await look()).outcome === 'interrupted';
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
const PARTS = { announceDependents: 'finishAttempt', failDependents: 'finishAttempt', requeueDependents: 'retryRun' };
/** All that RACES takes part in. */
const RACED = {
  ...{ startRun, finishAttempt, expireLeases, extendLeases, loseHost, loseUnlisted, releaseClaims, renewAllLeases },
  ...{ reviveAttempt, requestCancel, retryRun },
};

// ---- the races -----------------------------------------------------------------------------------------------------

test.each(Object.entries(RACES))(`P13: %s (${ROUNDS} times)`, { timeout: 120_000 }, async (_name, race) => {
  const names = Object.keys(race.contestants);
  const winners = race.winners ?? [1];
  for (let round = 0; round < ROUNDS; round++) {
    await put(race.from, race.lapsed ?? false);
    const hub = startTogether(names.length);
    // Everybody is first once in a while.
    const order = names.map((_, i) => names[(i + round) % names.length]!);
    const results = await Promise.all(order.map((name) => race.contestants[name]!(hub)));
    const won = order.filter((_, i) => results[i]);
    expect(winners, `winners of round ${round}: ${won.join(', ') || 'nobody'}`).toContain(won.length);
    const row = await look();
    race.leaves(row, won);
    expectConsistent(row);
  }
  await settlePublishing(core.hub);
});

test('P13: every function that changes a status takes part in a race', () => {
  const edges = [attemptEdges, dependentEdges, leaseEdges, userEdges].flatMap((module) => Object.keys(module));
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

// ---- states --------------------------------------------------------------------------------------------------------

type State = 'queued' | 'claimed' | 'running' | 'lost' | 'failed';
/** As one line: [status of the run, its attempt, that one's outcome]. */
const STATES: Record<State, readonly [RunStatus, number, AttemptOutcome | null]> = {
  queued: ['queued', 0, null],
  claimed: ['claimed', 1, null],
  running: ['running', 1, null],
  lost: ['queued', 1, 'lost'],
  failed: ['failed', 1, 'failed'],
};

/** Puts the run into a state as the edges themselves leave it, and the run that waits for it into the fitting one. */
async function put(state: State, lapsed: boolean): Promise<void> {
  const [status, attempt, outcome] = STATES[state];
  const isActive = status === 'claimed' || status === 'running';
  const isFailed = status === 'failed';
  await transact(core.hub, async (tx) => {
    await tx.query('DELETE FROM run_attempts WHERE run_id = $1', [run]);
    await tx.query(
      `UPDATE runs SET status = $2::run_status, attempt = $3, max_attempts = 5, host_id = $4, cancel_requested_at = NULL,
              lease_expires_at = CASE WHEN $5 THEN now() + $6 * interval '1 hour' END,
              failure_code = CASE WHEN $7 THEN 'diverged' END::failure_code, failure_message = NULL,
              finished_at = CASE WHEN $7 THEN now() END
       WHERE id = $1`,
      [run, status, attempt, isActive ? hosts[0] : null, isActive, lapsed ? -1 : 1, isFailed],
    );
    await tx.query(
      `UPDATE runs SET status = $2::run_status, cancel_requested_at = NULL, failure_message = NULL,
              failure_code = CASE WHEN $3 THEN 'dependency_failed' END::failure_code,
              finished_at = CASE WHEN $3 THEN now() END
       WHERE id = $1`,
      [dependent, isFailed ? 'failed' : 'queued', isFailed],
    );
    if (attempt === 0) return;
    await tx.query(
      `INSERT INTO run_attempts (run_id, attempt, host_id, started_at, ended_at, outcome)
       VALUES ($1, $2, $3, CASE WHEN $4 THEN now() END, CASE WHEN $5::text IS NOT NULL THEN now() END, $5::attempt_outcome)`,
      [run, attempt, hosts[0], state !== 'claimed', outcome],
    );
  });
}

type StoredRow = RunRow & { hasLease: boolean; isFinished: boolean; attempts: number; open: number[] };

async function look(): Promise<StoredRow> {
  const { rows } = await core.hub.pool.query<StoredRow>(
    `SELECT r.status, r.attempt, r.host_id, r.cancel_requested_at IS NOT NULL AS "isMarked", a.outcome,
            d.status AS dependent, r.lease_expires_at IS NOT NULL AS "hasLease", r.finished_at IS NOT NULL AS "isFinished",
            (SELECT count(*)::int FROM run_attempts WHERE run_id = r.id) AS attempts,
            ARRAY(SELECT attempt FROM run_attempts WHERE run_id = r.id AND ended_at IS NULL) AS open
     FROM runs r LEFT JOIN run_attempts a ON a.run_id = r.id AND a.attempt = r.attempt JOIN runs d ON d.id = $2
     WHERE r.id = $1`,
    [run, dependent],
  );
  return rows[0]!;
}

/** An active run has a host, a lease and one open attempt, its latest; any other has none of them. */
function expectConsistent(row: RunRow): void {
  const { status, attempt, attempts, open, hasLease, isFinished, host_id } = row as StoredRow;
  const isActive = status === 'claimed' || status === 'running';
  expect({ attempts, open, hasLease, isFinished }).toEqual({
    attempts: attempt,
    open: isActive ? [attempt] : [],
    hasLease: isActive,
    isFinished: status !== 'queued' && !isActive,
  });
  if (isActive) expect(host_id).not.toBeNull();
  if (status === 'queued') expect(host_id).toBeNull();
}
