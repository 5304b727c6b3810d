/** A pause with a real agent at the real hub: a checkpoint, the slot back, and on from there when the run is resumed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestPause, resumeRuns } from '../../server/runs/lifecycle-pause.ts';
import { loadRunSummary } from '../../server/runs/summary.ts';
import { transact } from '../../server/runs/transaction.ts';
import { createStudy } from '../../server/studies/create.ts';
import { runsOf, smallDesign } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { storedRecords } from '../support/stored-points.ts';
import { type AgentProcess, Host } from './support/agent-process.ts';
import type { FakeScript } from './support/fake-script.ts';
import { makeGrant } from './support/make-grant.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { TestHub as FakeHub } from './support/test-hub.ts';
import { waitUntil } from './support/wait-until.ts';

const SCRIPT: FakeScript = { steps: 60, everyMs: 5, holdAt: 30, end: 'succeed' };
const WAIT_MS = 60_000;

let programs: Programs;
let hub: TestHub;
let host: Host;
let agent: AgentProcess;
beforeAll(async () => {
  [programs, hub] = await Promise.all([buildPrograms(), startTestHub()]);
  const { token } = await hub.addToken({ kind: 'agent', label: 'test' }, null);
  host = new Host(programs, { url: hub.url, token });
  agent = host.start(['--slots', '1', '--label', 'toys'], { FAKE_SCRIPT: JSON.stringify(SCRIPT) });
  await waitUntil('the host is known', async () => (await query('SELECT 1 FROM hosts')).length === 1, WAIT_MS);
});
afterAll(async () => {
  await agent.kill('SIGTERM');
  await host.close();
  await hub.close();
  programs.remove();
});

const query = async <T>(sql: string, ...values: unknown[]) => (await hub.hub.pool.query(sql, values)).rows as T[];
const isAt = async (runId: string, status: string) => (await loadRunSummary(hub.hub.pool, runId))?.status === status;

test('P13a: a paused run saves a checkpoint and gives its slot to the next; resumed, it goes on from the step it was at', {
  timeout: 240_000,
}, async () => {
  const design = { ...smallDesign(), dataset: 'toy' };
  const create = () => createStudy(hub.hub, { name: 's', notes: '', design, createdById: null });
  const [first] = (await runsOf(hub.hub, await create())) as [string];
  await waitUntil('it trains', () => isAt(first, 'running'), WAIT_MS);
  await waitUntil(
    'it has made its steps',
    async () => (await storedRecords(hub.hub.pool, first)).some(({ step }) => step === 30),
    WAIT_MS,
  );
  expect(await query<{ labels: string[] }>(`SELECT report->'labels' AS labels FROM hosts`)).toEqual([
    { labels: ['toys'] },
  ]);
  const [second] = (await runsOf(hub.hub, await create())) as [string];

  await transact(hub.hub, (tx) => requestPause(tx, [first], null));
  expect((await loadRunSummary(hub.hub.pool, first))?.pauseRequestedAt).not.toBeNull();
  await waitUntil('the run is held', async () => (await loadRunSummary(hub.hub.pool, first))?.heldAt, WAIT_MS);
  expect(await query('SELECT outcome, exit_code FROM run_attempts WHERE run_id = $1', first)).toEqual([
    { outcome: 'interrupted', exit_code: 75 },
  ]);
  await waitUntil('the next run has the slot', () => isAt(second, 'running'), WAIT_MS);

  await transact(hub.hub, (tx) => resumeRuns(tx, [first]));
  await transact(hub.hub, (tx) => requestPause(tx, [second], null));
  await waitUntil('the first succeeds', () => isAt(first, 'succeeded'), WAIT_MS);
  const attempts = await query(
    'SELECT attempt, outcome, start_step FROM run_attempts WHERE run_id = $1 ORDER BY 1',
    first,
  );
  expect(attempts).toEqual([
    { attempt: 1, outcome: 'interrupted', start_step: 0 },
    { attempt: 2, outcome: 'succeeded', start_step: 31 },
  ]);
});

test('a trainer that does not listen is killed when the grace is over; its attempt ends as interrupted all the same', async () => {
  const quick = new FakeHub();
  quick.tunables.stopGraceMs = 200;
  await quick.start();
  const machine = new Host(programs, quick);
  try {
    machine.start();
    const grant = makeGrant({ steps: 1000, everyMs: 5, ignoresTerm: true, end: 'succeed' });
    quick.enqueue(grant);
    const attempt = quick.attemptOf(grant);
    await waitUntil('it trains', () => attempt.steps.length > 3);
    attempt.stop = 'paused';
    quick.nudge();
    await waitUntil('it has ended', () => attempt.ended);
    expect(attempt.ended).toMatchObject({ outcome: 'interrupted', signal: 'SIGKILL', failureCode: null });
  } finally {
    await machine.close();
    await waitUntil('no connection is left', () => quick.connections === 0);
    await quick.kill();
  }
});
