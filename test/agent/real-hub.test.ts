/** The agent at the real hub, on a real database: a study goes through although everything breaks once on the way. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudy } from '../../server/studies/create.ts';
import { runsOf, smallDesign } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { storedRecords } from '../support/stored-points.ts';
import { Host } from './support/agent-process.ts';
import type { FakeScript } from './support/fake-script.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { waitUntil } from './support/wait-until.ts';

const STEPS = 120;
const SCRIPT: FakeScript = {
  steps: STEPS,
  everyMs: 12,
  checkpointEvery: 20,
  readsInputs: true,
  end: 'succeed',
  prints: Array.from({ length: STEPS }, (_, i) => ({
    step: i + 1,
    stream: 'stdout',
    base64: Buffer.from(`bar of ${i + 1}\rstep ${i + 1}\n`).toString('base64'),
  })),
};
const WAIT_MS = 60_000;

let programs: Programs;
let hub: TestHub;
let host: Host;
beforeAll(async () => {
  [programs, hub] = await Promise.all([buildPrograms(), startTestHub()]);
  const { token } = await hub.addToken({ kind: 'agent', label: 'test' }, null);
  host = new Host(programs, { url: hub.url, token });
});
afterAll(async () => {
  await host.close();
  await hub.close();
  programs.remove();
});

const query = async <T>(sql: string, ...values: unknown[]) => (await hub.hub.pool.query(sql, values)).rows as T[];
const storedSteps = async (runId: string) => (await storedRecords(hub.hub.pool, runId)).map(({ step }) => step);
const printedSteps = async (runId: string, attempt: number) =>
  (
    await query<{ line: string }>(
      `SELECT line FROM output_lines WHERE run_id = $1 AND attempt = $2 AND stream = 'stdout' ORDER BY seq OFFSET 1`,
      runId,
      attempt,
    )
  ).map((row) => row.line);
const statusOf = async (runId: string) =>
  (await query<{ status: string }>('SELECT status FROM runs WHERE id = $1', runId))[0]?.status;
const start = () => host.start(['--slots', '1'], { FAKE_SCRIPT: JSON.stringify(SCRIPT) });

test('hub restarted, agent killed, trainer killed: every point and every printed line once, and the student got its teacher', {
  timeout: 60_000,
}, async () => {
  let agent = start();
  await waitUntil('the host is known', async () => (await query('SELECT 1 FROM hosts')).length === 1, WAIT_MS);
  const studyId = await createStudy(hub.hub, { name: 's', notes: '', design: smallDesign(), createdById: null });
  const runs = await runsOf(hub.hub, studyId);
  const active = async () => (await query<{ id: string }>(`SELECT id FROM runs WHERE status = 'running'`))[0]?.id;

  const teacher = await waitUntil('the teacher trains', active, WAIT_MS);
  await waitUntil('points arrive', async () => (await storedSteps(teacher)).length > 15, WAIT_MS);
  await hub.restart();
  await waitUntil('more points arrive', async () => (await storedSteps(teacher)).length > 40, WAIT_MS);
  await agent.kill('SIGKILL');
  agent = start();
  await waitUntil('the teacher succeeds', async () => (await statusOf(teacher)) === 'succeeded', WAIT_MS);

  const student = await waitUntil('the student trains', active, WAIT_MS);
  await waitUntil('points arrive', async () => (await storedSteps(student)).length > 50, WAIT_MS);
  process.kill(await host.trainerPid({ runId: student, attempt: 1 }), 'SIGKILL');
  await waitUntil('the student succeeds', async () => (await statusOf(student)) === 'succeeded', WAIT_MS);
  await waitUntil('nothing is left on the host', () => host.attemptDirs.length === 0);

  expect(runs.sort()).toEqual([teacher, student].sort());
  const whole = Array.from({ length: SCRIPT.steps }, (_, i) => i + 1);
  expect(await storedSteps(teacher)).toEqual(whole);
  expect(await storedSteps(student)).toEqual(whole);
  expect(await printedSteps(teacher, 1)).toEqual(whole.map((step) => `step ${step}`));
  const resumed = await printedSteps(student, 2);
  expect(resumed).toEqual(whole.slice(-resumed.length).map((step) => `step ${step}`));
  const killed = await printedSteps(student, 1);
  expect(killed).toEqual(whole.slice(0, killed.length).map((step) => `step ${step}`));
  const attempts = await query<Record<string, unknown>>(
    'SELECT run_id, attempt, outcome, failure_code, signal, start_step FROM run_attempts ORDER BY run_id = $1, attempt',
    student,
  );
  expect(attempts).toEqual([
    { run_id: teacher, attempt: 1, outcome: 'succeeded', failure_code: null, signal: null, start_step: 0 },
    {
      run_id: student,
      attempt: 1,
      outcome: 'failed',
      failure_code: 'trainer_killed',
      signal: 'SIGKILL',
      start_step: 0,
    },
    {
      run_id: student,
      attempt: 2,
      outcome: 'succeeded',
      failure_code: null,
      signal: null,
      start_step: expect.any(Number),
    },
  ]);
  expect(attempts[2]?.start_step).toBeGreaterThanOrEqual(40);
  const read = await query<{ line: string }>(
    `SELECT line FROM log_lines WHERE run_id = $1 AND level = 'info' ORDER BY attempt, seq`,
    student,
  );
  expect(read[0]?.line).toMatch(new RegExp(`^read ${teacher} 1 model.safetensors at step 120`));
  expect(await agent.kill('SIGTERM')).toBe(0);
  await waitUntil(
    'the goodbye is noted',
    async () => (await query('SELECT 1 FROM hosts WHERE detached_at IS NOT NULL')).length === 1,
  );
  expect(existsSync(join(host.dir, 'state', 'agent.lock'))).toBe(false);
  expect(readdirSync(join(host.dir, 'state')).sort()).toEqual(['attempts', 'blobs', 'host-id']);
});
