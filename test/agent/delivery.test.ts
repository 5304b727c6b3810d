/** Records reach the hub exactly once and in order, whatever breaks on the way. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRecord } from '@mealtable/protocol/records';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readRecords } from '../../trainer/train/record-reader.ts';
import { Host } from './support/agent-process.ts';
import { makeGrant } from './support/make-grant.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { type StoredAttempt, TestHub } from './support/test-hub.ts';
import { waitUntil } from './support/wait-until.ts';

let programs: Programs;
let hub: TestHub;
let host: Host;
beforeAll(async () => {
  programs = await buildPrograms();
});
afterAll(() => programs.remove());
beforeEach(async () => {
  hub = new TestHub();
  await hub.start();
  host = new Host(programs, hub);
});
afterEach(async () => {
  await host.close();
  await waitUntil('no connection is left', () => hub.connections === 0);
  await hub.kill();
});

function expectWhole(attempt: StoredAttempt, steps: number): void {
  expect(attempt.records.map((r) => r.seq)).toEqual(attempt.records.map((_, i) => i + 1));
  expect(attempt.steps).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
  expect(attempt.ended).toMatchObject({ outcome: 'succeeded', exitCode: 0, failureCode: null });
}

const drained = (attempt: StoredAttempt) =>
  waitUntil('the attempt is drained and deleted', () => attempt.ended && host.attemptDirs.length === 0, 20_000);

test('a run goes from grant to end, and nothing is left of it on the host', async () => {
  host.start();
  const grant = makeGrant({ steps: 30, end: 'succeed' });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await drained(attempt);
  expectWhole(attempt, 30);
  expect(attempt.records[0]).toMatchObject({ kind: 'started', backend: 'fake' });
  expect(attempt.duplicates).toBe(0);
});

test('P9, P10: acks that get lost, and a hub that is busy, cost repetitions and no record', async () => {
  hub.tunables.maxBatchRecords = 20;
  hub.tunables.ackTimeoutMs = 100;
  let count = 0;
  hub.dropsAck = (event) => event === 'run:records' && ++count % 3 === 0;
  hub.isBusy = () => count % 7 === 1;
  // One slot, so that no request for more runs loses its answer on a slow machine and costs a new connection.
  host.start(['--slots', '1']);
  const grant = makeGrant({ steps: 400, end: 'succeed' });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await drained(attempt);
  expectWhole(attempt, 400);
  expect(attempt.duplicates).toBeGreaterThan(3);
});

test('P7, P10: a hub that dies in the middle and comes back gets the rest', async () => {
  hub.tunables.maxBatchRecords = 10;
  host.start();
  const grant = makeGrant({ steps: 300, everyMs: 2, checkpointEvery: 100, end: 'succeed' });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  for (const reached of [40, 120, 200]) {
    await waitUntil(`${reached} records arrived`, () => attempt.ackedSeq > reached);
    await hub.kill();
    await hub.start();
  }
  await drained(attempt);
  expectWhole(attempt, 300);
  expect(hub.hellos.at(-1)?.attempts).toMatchObject([attempt.ref]);
});

test('P5, P10: a hub that lost its last records asks for them again', async () => {
  const agent = host.start(['--slots', '1']);
  const grant = makeGrant({ steps: 100, holdAt: 60, end: 'succeed' });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await waitUntil('the first part arrived', () => attempt.steps.length === 60);
  attempt.records.length = 25;
  host.release(grant);
  await drained(attempt);
  expectWhole(attempt, 100);
  expect(agent.output).toContain('succeeded');
});

test('P1, P10: an agent that is killed finds its trainer again, and sends what was written meanwhile', async () => {
  const first = host.start();
  const grant = makeGrant({ steps: 200, everyMs: 2, holdAt: 150, end: 'succeed' });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await waitUntil('some records arrived', () => attempt.steps.length > 20);
  const pid = await host.trainerPid(grant);
  expect(await first.kill('SIGKILL')).toBe('SIGKILL');
  const records = join(host.attemptDir(grant), 'records.jsonl');
  await waitUntil('the trainer went on alone', () => stepsIn(readRecords(records, 0).records).length === 150);
  expect(attempt.steps.length).toBeLessThan(150);

  const second = host.start();
  await waitUntil('the rest arrived', () => attempt.steps.length === 150);
  expect(second.output).toContain(`found its trainer at work (process ${pid})`);
  host.release(grant);
  await drained(attempt);
  expectWhole(attempt, 200);
});

test('P1: a trainer that ended well while no agent ran is reported by the next agent as succeeded', async () => {
  const first = host.start();
  const grant = makeGrant({ steps: 50, holdAt: 20, checkpointEvery: 25, end: 'succeed' });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await waitUntil('some records arrived', () => attempt.steps.length === 20);
  await first.kill('SIGKILL');
  host.release(grant);
  await waitUntil('the trainer is done', () => existsSync(join(host.attemptDir(grant), 'exit.json')));
  host.start();
  await drained(attempt);
  expectWhole(attempt, 50);
  const checkpoint = attempt.records.findLast((r) => r.kind === 'checkpoint')!;
  expect(hub.blobs.has(checkpoint.files[0]!.sha256)).toBe(true);
});

test('P9, P10: agents killed again and again, with a hub that comes and goes, still deliver every record once', async () => {
  hub.tunables.maxBatchRecords = 20;
  hub.tunables.ackTimeoutMs = 100;
  let count = 0;
  hub.dropsAck = (event) => event === 'run:records' && ++count % 5 === 0;
  const grant = makeGrant({ steps: 500, everyMs: 2, checkpointEvery: 120, end: 'succeed' });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  let agent = host.start(['--slots', '1']);
  for (let round = 1; round <= 3; round++) {
    await waitUntil('it goes on', () => attempt.ackedSeq > round * 60);
    await agent.kill('SIGKILL');
    await hub.kill();
    await hub.start();
    agent = host.start(['--slots', '1']);
  }
  await drained(attempt);
  expectWhole(attempt, 500);
});

const stepsIn = (records: AttemptRecord[]) => records.filter((r) => r.kind === 'metrics');
