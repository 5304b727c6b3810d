/** What real trainers print on its way from a real agent: each line once, whatever happens to agent, trainer and hub. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputStream } from '@mealtable/protocol/output';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AgentProcess, Host } from './support/agent-process.ts';
import type { FakeScript } from './support/fake-script.ts';
import { makeGrant } from './support/make-grant.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { type StoredAttempt, TestHub } from './support/test-hub.ts';
import { waitUntil } from './support/wait-until.ts';

let programs: Programs;
let hub: TestHub;
let host: Host;
let agent: AgentProcess;
beforeAll(async () => {
  programs = await buildPrograms();
});
afterAll(() => programs.remove());
beforeEach(async () => {
  hub = new TestHub();
  hub.takesOutput = true;
  await hub.start();
  host = new Host(programs, hub);
  agent = host.start(['--slots', '2']);
});
afterEach(async () => {
  await host.close();
  await hub.kill();
});

type Print = NonNullable<FakeScript['prints']>[number];
const print = (step: number, text: string | Buffer, stream: OutputStream = 'stdout', times = 1): Print => ({
  step,
  stream,
  base64: Buffer.from(text).toString('base64'),
  times,
});

function enqueue(script: FakeScript) {
  const grant = makeGrant(script);
  hub.enqueue(grant);
  return { grant, attempt: hub.attemptOf(grant) };
}
const drained = (attempt: StoredAttempt) =>
  waitUntil('the attempt is drained and deleted', () => attempt.ended && host.attemptDirs.length === 0, 20_000);
/** Without the first line, which every fake trainer prints. */
const texts = (attempt: StoredAttempt, stream: OutputStream = 'stdout') =>
  attempt.output[stream].slice(1).map(({ line }) => line);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const printed = (from: number, to: number) =>
  numbers(from, to)
    .map((line) => `${line}\n`)
    .join('');

test('both streams arrive live, with colours, whole characters and the last state of a bar', async () => {
  const cat = Buffer.from('🐈');
  const { grant, attempt } = enqueue({
    steps: 6,
    everyMs: 5,
    holdAt: 5,
    end: 'succeed',
    prints: [
      print(1, Buffer.concat([Buffer.from('half a '), cat.subarray(0, 2)])),
      print(2, Buffer.concat([cat.subarray(2), Buffer.from('\n\u001b[31mred\u001b[0m\u001b[K\n<b>bold</b>\r\n')])),
      print(3, '\r 10%|#   ', 'stderr', 50),
      print(4, '\r100%|####\n', 'stderr'),
      print(6, 'no end of line'),
    ],
  });
  await waitUntil('it is there before the end', () => attempt.output.stderr.at(-1)?.line === '100%|####');
  expect(texts(attempt)).toEqual(['half a 🐈', '\u001b[31mred\u001b[0m', '<b>bold</b>']);
  expect(texts(attempt, 'stderr').length).toBeLessThan(4);
  host.release(grant);
  await drained(attempt);
  expect(texts(attempt).at(-1)).toBe('no end of line');
  expect(attempt.output.stderr[0]?.line).toBe('printed to stderr');
  const now = Date.now();
  for (const { at } of attempt.output.stdout) expect(Math.abs(now - at)).toBeLessThan(60_000);
});

test('a trainer that dies in the middle of a line leaves its beginning, and nothing is stored a second time as records', async () => {
  const { attempt } = enqueue({ steps: 2, end: 'crash', prints: [print(2, 'half a li')] });
  await drained(attempt);
  expect(texts(attempt)).toEqual(['half a li']);
  expect(texts(attempt, 'stderr').join('\n')).toContain('Error: a bug in the trainer');
  expect(attempt.records.filter((record) => record.kind === 'log')).toEqual([]);
  expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'trainer_error' });
});

test('P10a: an agent that is killed twice in the middle stores each line once', async () => {
  const { grant, attempt } = enqueue({
    steps: 60,
    everyMs: 20,
    end: 'succeed',
    prints: Array.from({ length: 60 }, (_, i) => print(i + 1, printed(i * 5, i * 5 + 5))),
  });
  for (const count of [20, 120]) {
    await waitUntil(`${count} lines`, () => attempt.output.stdout.length > count, 20_000);
    await agent.kill('SIGKILL');
    agent = host.start(['--slots', '2']);
  }
  await drained(attempt);
  expect(hub.attempts.size).toBe(1);
  expect(attempt.ref.runId).toBe(grant.runId);
  expect(texts(attempt)).toEqual(numbers(0, 300));
  expect(attempt.output.stdout.map(({ seq }) => seq)).toEqual(Array.from({ length: 301 }, (_, i) => i + 1));
});

test('P10a: a hub that is away, busy, or loses its answers gets each line once, and the folder stays until it has', async () => {
  const { grant, attempt } = enqueue({
    steps: 40,
    everyMs: 10,
    holdAt: 30,
    end: 'succeed',
    prints: Array.from({ length: 40 }, (_, i) => print(i + 1, printed(i * 5, i * 5 + 5))),
  });
  let dropped = 0;
  hub.dropsAck = (event) => event === 'run:output' && dropped++ % 3 === 0;
  await waitUntil('some lines', () => attempt.output.stdout.length > 20, 20_000);
  await hub.kill();
  host.release(grant);
  await waitUntil('it has ended', () => agent.output.includes('succeeded'), 20_000);
  expect(host.attemptDirs).toHaveLength(1);
  let busy = 4;
  hub.isBusy = () => busy-- > 0;
  hub.dropsAck = () => false;
  await hub.start();
  await drained(attempt);
  expect(texts(attempt)).toEqual(numbers(0, 200));
});

test('a hub that was restored from a backup gets again what it has lost', async () => {
  const { grant, attempt } = enqueue({
    steps: 4,
    holdAt: 3,
    end: 'succeed',
    prints: [print(1, printed(0, 50)), print(4, printed(50, 60))],
  });
  await waitUntil('50 lines', () => attempt.output.stdout.length === 51);
  await hub.kill();
  attempt.output.stdout.length = 20;
  await hub.start();
  await waitUntil('all again', () => attempt.output.stdout.length === 51);
  host.release(grant);
  await drained(attempt);
  expect(texts(attempt)).toEqual(numbers(0, 60));
});

test('of a flood of 40 MB a bounded part is kept, and a line says how much was not', async () => {
  const { attempt } = enqueue({
    steps: 3,
    end: 'succeed',
    prints: [print(1, `${'x'.repeat(79)}\n`.repeat(5_000), 'stdout', 100), print(2, 'after the flood\n')],
  });
  await drained(attempt);
  const lines = texts(attempt);
  expect(lines.length).toBeLessThan(20_000);
  const left = lines.map((line) => /^… ([\d,]+) lines? (?:was|were) left out/.exec(line)?.[1]?.replaceAll(',', ''));
  const kept = left.filter((count) => count === undefined).length;
  expect(kept + left.reduce((sum, count) => sum + Number(count ?? 0), 0)).toBe(500_001);
});

test('a hub that does not know output hears nothing of it, but of a failed attempt the last lines', async () => {
  await hub.kill();
  hub.takesOutput = false;
  await hub.start();
  const { attempt } = enqueue({ steps: 2, end: 'fail', prints: [print(1, printed(0, 3))] });
  await drained(attempt);
  expect(attempt.output).toEqual({ stdout: [], stderr: [] });
  const lines = attempt.records.flatMap((record) => (record.kind === 'log' ? [record.line] : []));
  expect(lines.slice(1)).toEqual([...numbers(0, 3), 'printed to stderr']);
});

test('P6: a fenced attempt is ended, and what it printed is kept', async () => {
  const { grant, attempt } = enqueue({ steps: 1000, everyMs: 5, end: 'succeed', prints: [print(3, printed(0, 5))] });
  await waitUntil('it printed', () => attempt.output.stdout.length > 1);
  writeFileSync(join(host.attemptDir(grant), 'output.log'), 'the last words', { flag: 'a' });
  attempt.takesStale = true;
  attempt.stop = 'fenced';
  hub.nudge();
  await waitUntil('its folder is gone', () => host.attemptDirs.length === 0, 20_000);
  expect(texts(attempt)).toEqual([...numbers(0, 5), 'the last words']);
});
