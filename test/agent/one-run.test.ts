/** The agent of a batch job, at the real hub: it trains its one run and nothing else, and its exit code says whether that is done. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createStudy } from '../../server/studies/create.ts';
import { smallDesign } from '../support/core.ts';
import { emptyTables } from '../support/empty-tables.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { Host } from './support/agent-process.ts';
import type { FakeScript } from './support/fake-script.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { waitUntil } from './support/wait-until.ts';

let programs: Programs;
let hub: TestHub;
let host: Host;
/** Two runs of which either can be claimed. */
let first: string;
let second: string;
beforeAll(async () => {
  [programs, hub] = await Promise.all([buildPrograms(), startTestHub()]);
  const { token } = await hub.addToken({ kind: 'agent', label: 'test' }, null);
  host = new Host(programs, { url: hub.url, token });
  // The hub has to know of a dataset before it takes a study.
  const agent = host.start();
  await waitUntil('the host is known', async () => (await hub.hub.db.host.count()) === 1, 60_000);
  expect(await agent.kill('SIGTERM')).toBe(0);
});
beforeEach(async () => {
  await emptyTables(hub.hub.pool, ['studies']);
  for (const name of ['a', 'b'])
    await createStudy(hub.hub, { name, notes: '', design: smallDesign(), createdById: null });
  const { rows } = await hub.hub.pool.query<{ id: string }>(
    `SELECT r.id FROM runs r WHERE NOT EXISTS (SELECT 1 FROM run_dependencies d WHERE d.run_id = r.id) ORDER BY r.created_at, r.id`,
  );
  [first, second] = [rows[0]!.id, rows.at(-1)!.id];
});
afterAll(async () => {
  await host.close();
  await hub.close();
  programs.remove();
});

const start = (runId: string, script: FakeScript) =>
  host.start(['--slots', '2', '--one-run', runId], { FAKE_SCRIPT: JSON.stringify(script) });
const statusOf = async (id: string) => (await hub.hub.db.run.findUniqueOrThrow({ where: { id } })).status;
const EVERY = { everyMs: 10, checkpointEvery: 5, end: 'succeed' } as const;

test('its run is trained, no other one, and the end is good', async () => {
  const agent = start(second, { ...EVERY, steps: 20 });
  expect(await agent.exited).toBe(0);
  expect(agent.output).toContain(`The hub has nothing to do for ${second}: this agent ends.`);
  expect(await statusOf(second)).toBe('succeeded');
  expect(await statusOf(first)).toBe('queued');
});

test.each(['SIGUSR2', 'SIGTERM'] as const)(
  '%s saves a checkpoint, and the exit code asks for another go',
  async (signal) => {
    const agent = start(first, { ...EVERY, steps: 100_000 });
    await waitUntil('it trains', async () => (await statusOf(first)) === 'running');
    expect(await agent.kill(signal)).toBe(75);
    expect(await statusOf(first)).toBe('queued');
    const again = start(first, { ...EVERY, steps: 20 });
    expect(await again.exited).toBe(0);
    expect(await statusOf(first)).toBe('succeeded');
    const attempts = await hub.hub.db.runAttempt.findMany({ where: { runId: first }, orderBy: { attempt: 'asc' } });
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['interrupted', 'succeeded']);
  },
);

test('SIGHUP leaves the trainer to the next agent', async () => {
  const agent = start(first, { ...EVERY, steps: 300 });
  await waitUntil('it trains', async () => (await statusOf(first)) === 'running');
  expect(await agent.kill('SIGHUP')).toBe(0);
  expect(agent.output).toContain('1 trainers go on; the next agent takes them over.');
  const next = start(first, { ...EVERY, steps: 300 });
  expect(await next.exited).toBe(0);
  expect(await statusOf(first)).toBe('succeeded');
  expect(await hub.hub.db.runAttempt.count({ where: { runId: first } })).toBe(1);
});

test('what is no run is refused', async () => {
  const wrong = host.start(['--one-run', 'x']);
  expect(await wrong.exited).toBe(2);
  expect(wrong.output).toContain('--one-run must be the id of a run (run_…); it is "x".');
});
