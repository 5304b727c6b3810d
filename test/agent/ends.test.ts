/** Every way an attempt can end, as the hub gets to know it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { identifyProcess } from '../../trainer/agent/process-identity.ts';
import { readRecords } from '../../trainer/train/record-reader.ts';
import { type AgentProcess, Host, processesOf } from './support/agent-process.ts';
import type { FakeScript } from './support/fake-script.ts';
import { fileOf, makeGrant, makeInput } from './support/make-grant.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { type StoredAttempt, TestHub } from './support/test-hub.ts';
import { waitUntil } from './support/wait-until.ts';

let programs: Programs;
let hub: TestHub;
let host: Host;
let agent: AgentProcess;
beforeAll(async () => {
  programs = await buildPrograms();
  hub = new TestHub();
  await hub.start();
  host = new Host(programs, hub);
  agent = host.start(['--slots', '2']);
});
afterEach(() => {
  expect(host.attemptDirs).toEqual([]);
});
afterAll(async () => {
  await agent.kill('SIGTERM');
  await host.close();
  await waitUntil('no connection is left', () => hub.connections === 0);
  await hub.kill();
  programs.remove();
});

const drained = (attempt: StoredAttempt) =>
  waitUntil('the attempt is drained and deleted', () => attempt.ended && host.attemptDirs.length === 0, 20_000);
const recordsOf = (ref: AttemptRef) => join(host.attemptDir(ref), 'records.jsonl');
const outputLines = (attempt: StoredAttempt) =>
  attempt.records.flatMap((r) => (r.kind === 'log' && r.level === 'output' ? [r.line] : []));

async function enqueue(script: FakeScript) {
  const grant = makeGrant(script);
  hub.enqueue(grant);
  return { grant, attempt: hub.attemptOf(grant) };
}

test('a trainer that says why it failed ends with its code, its sentence and its last lines', async () => {
  const { attempt } = await enqueue({ steps: 3, end: 'fail' });
  await drained(attempt);
  expect(attempt.ended).toMatchObject({
    outcome: 'failed',
    failureCode: 'diverged',
    message: 'The loss became NaN at step 3.',
    exitCode: 1,
  });
  expect(outputLines(attempt)).toEqual([expect.stringMatching(/^threads \d+ token none$/), 'printed to stderr']);
});

test('a trainer that crashes shows its stack', async () => {
  const { attempt } = await enqueue({ steps: 3, end: 'crash' });
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'trainer_error', exitCode: 1 });
  expect(outputLines(attempt).join('\n')).toContain('Error: a bug in the trainer');
});

test('a trainer killed from outside ends as trainer_killed with the signal, its records and its checkpoint are kept', async () => {
  const { grant, attempt } = await enqueue({ steps: 40, checkpointEvery: 20, holdAt: 30, end: 'succeed' });
  await waitUntil('it holds', () => attempt.steps.length === 30);
  process.kill(await host.trainerPid(grant), 'SIGKILL');
  await drained(attempt);
  expect(attempt.ended).toMatchObject({
    outcome: 'failed',
    failureCode: 'trainer_killed',
    signal: 'SIGKILL',
    exitCode: null,
  });
  expect(attempt.ended?.message).toContain('SIGKILL');
  expect(attempt.steps.length).toBe(30);
  expect(outputLines(attempt)).toContain('printed to stderr');
  const checkpoint = attempt.records.find((r) => r.kind === 'checkpoint')!;
  expect(hub.blobs.has(checkpoint.files[0]!.sha256)).toBe(true);
});

test('a cancelled run ends as cancelled, without a checkpoint', async () => {
  const { attempt } = await enqueue({ steps: 1000, everyMs: 5, end: 'succeed' });
  await waitUntil('it trains', () => attempt.steps.length > 3);
  attempt.stop = 'cancelled';
  hub.nudge();
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'cancelled', failureCode: null });
  expect(attempt.records.some((r) => r.kind === 'checkpoint')).toBe(false);
});

test('P6: a fenced attempt is killed and forgotten, and nothing more of it is sent', async () => {
  const { grant, attempt } = await enqueue({ steps: 1000, everyMs: 5, end: 'succeed' });
  await waitUntil('it trains', () => attempt.steps.length > 3);
  const pid = await host.trainerPid(grant);
  attempt.stop = 'fenced';
  await waitUntil('it is deleted', () => host.attemptDirs.length === 0);
  expect(identifyProcess(pid)).toBeNull();
  expect(attempt.ended).toBeNull();
});

test('P6: what a fenced attempt had written is still sent when the hub takes it', async () => {
  const { grant, attempt } = await enqueue({ steps: 40, holdAt: 40, end: 'succeed' });
  hub.isBusy = () => true;
  await waitUntil('it holds', () => readRecords(recordsOf(grant), 0).records.length === 41);
  attempt.takesStale = true;
  attempt.stop = 'fenced';
  await waitUntil('its trainer is killed', () => processesOf(host.attemptDir(grant)).length === 0);
  hub.isBusy = () => false;
  await waitUntil('it is deleted', () => host.attemptDirs.length === 0);
  expect(attempt.steps.length).toBe(40);
  expect(attempt.ended).toBeNull();
});

test('P6: a newer attempt of the same run ends the older one here', async () => {
  const { grant, attempt } = await enqueue({ steps: 1000, everyMs: 5, end: 'succeed' });
  await waitUntil('it trains', () => attempt.steps.length > 3);
  const next = makeGrant({ steps: 3, end: 'succeed' }, { runId: grant.runId, attempt: 2 });
  hub.enqueue(next);
  await waitUntil(
    'only the new one is told to the end',
    () => hub.attemptOf(next).ended && host.attemptDirs.length === 0,
  );
  expect(attempt.ended).toBeNull();
});

test('P12: a record that the hub cannot read stops the attempt; the records before it and the reason arrive', async () => {
  const { attempt } = await enqueue({ steps: 500, everyMs: 1, badRecordAt: 20, end: 'succeed' });
  await drained(attempt);
  expect(attempt.steps).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'trainer_error' });
  expect(attempt.ended?.message).toContain('records.0.line');
  expect(agent.output).toContain('cannot read record 22');
});

test('P12: a bad record that is met only after a long outage still ends the attempt, although it had ended well', async () => {
  hub.isBusy = () => true;
  const { grant, attempt } = await enqueue({ steps: 10, badRecordAt: 4, end: 'succeed' });
  await waitUntil('the end is written', () => existsSync(join(host.attemptDir(grant), 'verdict.json')));
  hub.isBusy = () => false;
  await drained(attempt);
  expect(attempt.steps).toEqual([1, 2, 3, 4]);
  expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'trainer_error' });
});

test('a line that is no record stops the attempt likewise', async () => {
  const { attempt } = await enqueue({ steps: 500, everyMs: 1, unreadableAt: 10, end: 'succeed' });
  await drained(attempt);
  expect(attempt.steps.length).toBe(10);
  expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'trainer_error' });
});

test('a run on data that the host does not have is refused with the way to give them', async () => {
  const grant = makeGrant({ steps: 1, end: 'succeed' });
  grant.config.dataset = 'flowers';
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'dataset_invalid' });
  expect(attempt.ended?.message).toContain('--dataset flowers=');
});

test('inputs are fetched, verified and handed to the trainer', async () => {
  const weights = Buffer.from('weights to start from');
  const progress = Buffer.from('{"step": 7}');
  const initialisation = makeInput(weights);
  const resumeFile = fileOf(progress, 'progress.json');
  hub.blobs.set(initialisation.file.sha256, weights);
  hub.blobs.set(resumeFile.sha256, progress);
  const grant = makeGrant(
    { steps: 1, readsInputs: true, end: 'succeed' },
    { initialisation, resume: { stepsCompleted: 7, files: [resumeFile] } },
  );
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await drained(attempt);
  const lines = attempt.records.flatMap((r) => (r.kind === 'log' ? [r.line] : []));
  expect(lines).toEqual(['read weights to start from', 'read {"step": 7}']);
  expect(attempt.records[0]).toMatchObject({ stepsCompleted: 7 });
});

test('weights that the hub does not have fail the run by name', async () => {
  const initialisation = makeInput(Buffer.from('never uploaded'));
  const grant = makeGrant({ steps: 1, end: 'succeed' }, { initialisation });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'weights_missing' });
  expect(attempt.ended?.message).toContain(initialisation.file.sha256);
});

test('a cancel while the weights are still awaited ends the attempt before a trainer starts', async () => {
  hub.blobFault = (_request, response) => {
    response.writeHead(503).end('not now');
    return true;
  };
  const grant = makeGrant({ steps: 1, end: 'succeed' }, { initialisation: makeInput(Buffer.from('late')) });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await waitUntil('the download waits', () => agent.output.includes('waits for the hub (HTTP 503: not now)'));
  attempt.stop = 'cancelled';
  await drained(attempt);
  hub.blobFault = null;
  expect(attempt.records).toEqual([expect.objectContaining({ kind: 'ended', outcome: 'cancelled' })]);
});
