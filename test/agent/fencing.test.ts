/**
 * Split brain: the hub gives up a host that is only slow, another one goes on with its run, and then the first comes back. Two real
 * agents at the real hub, on a real database.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { expireLeases } from '../../server/runs/lifecycle-lease.ts';
import { transact } from '../../server/runs/transaction.ts';
import { createStudy } from '../../server/studies/create.ts';
import { identifyProcess } from '../../trainer/agent/process-identity.ts';
import { runsOf, smallDesign } from '../support/core.ts';
import { emptyTables } from '../support/empty-tables.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { storedRecords } from '../support/stored-points.ts';
import { type AgentProcess, Host } from './support/agent-process.ts';
import type { FakeScript } from './support/fake-script.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { waitUntil } from './support/wait-until.ts';

const STEPS = 60;
const CHECKPOINT_EVERY = 20;
const WAIT_MS = 60_000;

let programs: Programs;
let hub: TestHub;
let slow: Host;
let other: Host;
beforeAll(async () => {
  [programs, hub] = await Promise.all([buildPrograms(), startTestHub()]);
});
afterAll(async () => {
  await hub.close();
  programs.remove();
});
beforeEach(async () => {
  await emptyTables(hub.hub.pool, ['studies', 'hosts']);
  const { token } = await hub.addToken({ kind: 'agent', label: 'test' }, null);
  [slow, other] = [new Host(programs, { url: hub.url, token }), new Host(programs, { url: hub.url, token })];
});
afterEach(async () => {
  await slow.close();
  await other.close();
});

const query = async <T>(sql: string, ...values: unknown[]) => (await hub.hub.pool.query(sql, values)).rows as T[];
const start = (host: Host, script: FakeScript) => host.start(['--slots', '1'], { FAKE_SCRIPT: JSON.stringify(script) });
const statusOf = async (id: string) =>
  (await query<{ status: string }>('SELECT status FROM runs WHERE id = $1', id))[0]!;
const pointsOf = async (id: string) =>
  (await storedRecords(hub.hub.pool, id))
    .map(({ attempt, step }) => ({ attempt, step }))
    .sort((a, b) => a.step - b.step || a.attempt - b.attempt);

/** The slow host trains up to step 50 and holds there, with its checkpoint of step 40 on the hub; then it stops answering and is given up. */
async function loseSlowHost() {
  const agent = start(slow, {
    steps: STEPS,
    checkpointEvery: CHECKPOINT_EVERY,
    everyMs: 2,
    holdAt: 50,
    end: 'succeed',
  });
  await waitUntil('the host is known', async () => (await query('SELECT 1 FROM hosts')).length === 1, WAIT_MS);
  const studyId = await createStudy(hub.hub, { name: 's', notes: '', design: smallDesign(), createdById: null });
  const [run] = (await runsOf(hub.hub, studyId)) as [string];
  await query('UPDATE runs SET held_at = now() WHERE id <> $1', run);
  const isSaved = async () => {
    const [saved] = await query<{ files: number }>(
      `SELECT count(b.*)::int AS files FROM checkpoints c JOIN checkpoint_files f ON f.checkpoint_id = c.id
       JOIN blobs b ON b.sha256 = f.sha256 WHERE c.run_id = $1 AND c.steps_completed = 40`,
      run,
    );
    return saved!.files === 3 && (await pointsOf(run)).length === 50;
  };
  await waitUntil('it holds', isSaved, WAIT_MS);
  const trainer = await slow.trainerPid({ runId: run, attempt: 1 });
  agent.child.kill('SIGSTOP');
  await query("UPDATE runs SET lease_expires_at = now() - interval '1 second' WHERE id = $1", run);
  await transact(hub.hub, expireLeases);
  expect(await statusOf(run)).toEqual({ status: 'queued' });
  return { agent, run, trainer };
}

/** Its agent works again, and hears how it stands. */
async function comeBack(agent: AgentProcess, trainer: number) {
  agent.child.kill('SIGCONT');
  await waitUntil('its trainer is ended', () => identifyProcess(trainer) === null, WAIT_MS);
  await waitUntil('nothing is left of the attempt there', () => slow.attemptDirs.length === 0, WAIT_MS);
  expect(agent.output).toContain('the run belongs to another attempt now');
}

test('P6, P7, P11: a lost host that comes back while another has its run is fenced, and one curve is stored', {
  timeout: 60_000,
}, async () => {
  const { agent, run, trainer } = await loseSlowHost();
  start(other, { steps: STEPS, checkpointEvery: CHECKPOINT_EVERY, holdAt: 45, end: 'succeed' });
  await waitUntil('another goes on from step 40', async () => (await pointsOf(run)).at(-1)?.attempt === 2, WAIT_MS);
  // Both have a trainer now. The slow one goes on, and its agent wakes up to records that the hub has not.
  slow.release({ runId: run, attempt: 1 });
  await comeBack(agent, trainer);
  other.release({ runId: run, attempt: 2 });
  await waitUntil('the run succeeds', async () => (await statusOf(run)).status === 'succeeded', WAIT_MS);
  const whole = Array.from({ length: STEPS }, (_, i) => ({ attempt: i < 40 ? 1 : 2, step: i + 1 }));
  expect(await pointsOf(run)).toEqual(whole);
  expect(
    await query('SELECT attempt, outcome, start_step FROM run_attempts WHERE run_id = $1 ORDER BY attempt', run),
  ).toEqual([
    { attempt: 1, outcome: 'lost', start_step: 0 },
    { attempt: 2, outcome: 'succeeded', start_step: 40 },
  ]);
  const late = await query('SELECT 1 FROM checkpoints WHERE run_id = $1 AND attempt = 1 AND steps_completed > 40', run);
  expect(late).toEqual([]);
});

test('P6: a stale agent that comes back when all is over changes nothing that is stored', {
  timeout: 60_000,
}, async () => {
  const { agent, run, trainer } = await loseSlowHost();
  start(other, { steps: STEPS, checkpointEvery: CHECKPOINT_EVERY, end: 'succeed' });
  await waitUntil('the run succeeds', async () => (await statusOf(run)).status === 'succeeded', WAIT_MS);
  const stored = () =>
    Promise.all([
      pointsOf(run),
      query('SELECT * FROM checkpoints WHERE run_id = $1 ORDER BY id', run),
      query('SELECT status, attempt, host_id, steps_completed, best_top1, finished_at FROM runs WHERE id = $1', run),
    ]);
  const before = await stored();
  await comeBack(agent, trainer);
  expect(await stored()).toEqual(before);
});

test('P7: a lost host that comes back before anybody has its run goes on as if nothing had been', {
  timeout: 60_000,
}, async () => {
  const { agent, run, trainer } = await loseSlowHost();
  agent.child.kill('SIGCONT');
  await waitUntil('it has its run again', async () => (await statusOf(run)).status === 'running', WAIT_MS);
  expect(identifyProcess(trainer)).not.toBeNull();
  slow.release({ runId: run, attempt: 1 });
  await waitUntil('the run succeeds', async () => (await statusOf(run)).status === 'succeeded', WAIT_MS);
  expect(await pointsOf(run)).toEqual(Array.from({ length: STEPS }, (_, i) => ({ attempt: 1, step: i + 1 })));
});
