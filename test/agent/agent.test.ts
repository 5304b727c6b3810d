/** The agent itself: taking over, stopping, and ending when it must. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FATAL_REFUSALS, type HostReport } from '@mealtable/protocol/agent-messages';
import { configFeatures } from '@mealtable/protocol/config-features';
import { makeId } from '@mealtable/protocol/ids';
import { PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Agent } from '../../trainer/agent/agent.ts';
import { BlobCache } from '../../trainer/agent/blob-cache.ts';
import { BlobClient } from '../../trainer/agent/blob-client.ts';
import { AGENT_EXIT } from '../../trainer/agent/exit-codes.ts';
import { makeSlots } from '../../trainer/agent/host-report.ts';
import { type AgentLimits, agentLimits } from '../../trainer/agent/limits.ts';
import { identifyProcess } from '../../trainer/agent/process-identity.ts';
import { makeHostMeter } from '../../trainer/agent/telemetry/make-host-meter.ts';
import { makeDataset, makeReport } from '../support/core.ts';
import { Host } from './support/agent-process.ts';
import type { FakeScript } from './support/fake-script.ts';
import { makeGrant, makeInput } from './support/make-grant.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { type StoredAttempt, TestHub, TOKEN } from './support/test-hub.ts';
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

const drained = (attempt: StoredAttempt) =>
  waitUntil('the attempt is drained and deleted', () => attempt.ended && host.attemptDirs.length === 0, 20_000);

async function enqueue(script: FakeScript) {
  const grant = makeGrant(script);
  hub.enqueue(grant);
  return { grant, attempt: hub.attemptOf(grant) };
}

test('P14: a cancel reaches a trainer that does not listen, and the next agent if this one is killed', async () => {
  hub.tunables.stopGraceMs = 300;
  const first = host.start();
  const { grant, attempt } = await enqueue({ steps: 1000, everyMs: 5, ignoresTerm: true, end: 'succeed' });
  await waitUntil('it trains', () => attempt.steps.length > 3);
  attempt.stop = 'cancelled';
  hub.nudge();
  await waitUntil('the agent has begun to stop it', () => existsSync(join(host.attemptDir(grant), 'cancel')));
  await first.kill('SIGKILL');
  host.start();
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'cancelled' });
});

test('P8: a trainer that writes no record for too long ends as stalled', async () => {
  hub.tunables.stallAfterMs = 200;
  hub.tunables.stopGraceMs = 100;
  const agent = host.start();
  const { attempt } = await enqueue({ steps: 5, ignoresTerm: true, end: 'hang' });
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'failed', failureCode: 'stalled' });
  expect(agent.output).toContain('stopping the trainer');
});

test('P14: SIGTERM: trainers save a checkpoint, it is uploaded, the interruption is told, and the agent ends with 0', async () => {
  const agent = host.start();
  const { attempt } = await enqueue({ steps: 10_000, everyMs: 5, end: 'succeed' });
  await waitUntil('it trains', () => attempt.steps.length > 3);
  expect(await agent.kill('SIGTERM')).toBe(AGENT_EXIT.ok);
  expect(attempt.ended).toMatchObject({ outcome: 'interrupted', exitCode: 75, failureCode: null });
  const checkpoint = attempt.records.find((r) => r.kind === 'checkpoint')!;
  expect(hub.blobs.has(checkpoint.files[0]!.sha256)).toBe(true);
  expect(host.attemptDirs).toEqual([]);
});

test('P14: SIGTERM without a hub: the trainer saves its checkpoint, and the next agent brings all of it', async () => {
  const agent = host.start();
  const { grant, attempt } = await enqueue({ steps: 10_000, everyMs: 5, end: 'succeed' });
  await waitUntil('it trains', () => attempt.steps.length > 3);
  await hub.kill();
  expect(await agent.kill('SIGINT')).toBe(AGENT_EXIT.ok);
  expect(agent.output).toContain('the next start goes on with them');
  expect(existsSync(host.attemptDir(grant))).toBe(true);
  await hub.start();
  host.start();
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'interrupted', exitCode: 75 });
  expect(hub.blobs.size).toBe(3);
});

test('a second signal ends the agent at once, and the next one goes on', async () => {
  hub.tunables.stopGraceMs = 300;
  const agent = host.start();
  const { attempt } = await enqueue({ steps: 10_000, everyMs: 5, ignoresTerm: true, end: 'succeed' });
  await waitUntil('it trains', () => attempt.steps.length > 3);
  agent.child.kill('SIGINT');
  await waitUntil('it is stopping', () => agent.output.includes('Stopping'));
  expect(await agent.kill('SIGINT')).toBe(AGENT_EXIT.impatient);
  host.start();
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'interrupted', failureCode: null });
});

test('checkpoints are uploaded in the background and only what the hub lacks; old ones leave the disk', async () => {
  host.start();
  const { grant, attempt } = await enqueue({ steps: 40, checkpointEvery: 10, holdAt: 40, end: 'succeed' });
  await waitUntil('the last checkpoint arrived', () => {
    const last = attempt.records.findLast((r) => r.kind === 'checkpoint');
    return attempt.steps.length === 40 && last && hub.blobs.has(last.files[0]!.sha256);
  });
  await waitUntil('one is left on disk', () => readdirSync(join(host.attemptDir(grant), 'checkpoints')).length === 1);
  host.release(grant);
  await drained(attempt);
  expect(hub.puts).toBe(hub.blobs.size);
});

test('P10: a succeeded run is not told to have ended before its checkpoint is on the hub', async () => {
  let isDown = true;
  hub.blobFault = (request, response) => {
    const refuses = isDown && request.method === 'PUT';
    if (refuses) response.writeHead(503).end('the disk of the hub is full');
    return refuses;
  };
  const agent = host.start();
  const { attempt } = await enqueue({ steps: 5, checkpointEvery: 5, end: 'succeed' });
  await waitUntil('the upload waits', () => agent.output.includes('the disk of the hub is full'));
  await agent.kill('SIGKILL');
  expect(attempt.ended).toBeNull();
  const second = host.start();
  await waitUntil('the upload waits again', () => second.output.includes('the disk of the hub is full'));
  isDown = false;
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'succeeded' });
  expect(hub.blobs.size).toBe(3);
});

test('a slot is free for the next run while the last one is still sending', async () => {
  let isBusy = true;
  hub.isBusy = () => isBusy;
  host.start(['--slots', '1']);
  const first = await enqueue({ steps: 5, end: 'succeed' });
  await waitUntil('it has ended', () => existsSync(join(host.attemptDir(first.grant), 'verdict.json')));
  const second = await enqueue({ steps: 5, end: 'succeed' });
  await waitUntil('it has ended too', () => existsSync(join(host.attemptDir(second.grant), 'verdict.json')));
  isBusy = false;
  await waitUntil('both are told to the end', () => first.attempt.ended && second.attempt.ended);
});

test('P2, P5: an answer with runs that got lost leads to a new hello that does not list them', async () => {
  let isFirst = true;
  hub.tunables.ackTimeoutMs = 200;
  hub.dropsAck = (event) => {
    const drop = event === 'run:request' && hub.attempts.size === 1 && isFirst;
    if (drop) isFirst = false;
    return drop;
  };
  host.start();
  await waitUntil('the agent is there', () => hub.hellos.length === 1);
  await enqueue({ steps: 1, end: 'succeed' });
  await waitUntil('it says hello again', () => hub.hellos.length === 2);
  expect(hub.hellos[1]?.attempts).toEqual([]);
});

test('P4a: a grant that this version cannot read is refused with the reason, again until the hub knows, and never counts as lost', async () => {
  hub.tunables.ackTimeoutMs = 200;
  let drops = 1;
  hub.dropsAck = (event) => event === 'run:refuse' && drops-- > 0;
  const agent = host.start();
  await waitUntil('the agent is there', () => hub.hellos.length === 1);
  const grant = makeGrant({ steps: 1, end: 'succeed' });
  Object.assign(grant.config, { colour: 'blue' });
  hub.enqueue(grant);
  const refusal = await waitUntil('the refusal arrives', () => hub.refusals[0]);
  const ref = { runId: grant.runId, attempt: 1 };
  expect(refusal).toEqual({ ...ref, reason: expect.stringMatching(/cannot read this run \(config: .*colour.*update/) });
  expect(hub.hellos.at(-1)?.attempts).toEqual([ref]);
  expect(agent.output).toContain('colour');
  const next = await enqueue({ steps: 1, end: 'succeed' });
  await drained(next.attempt);
  expect(next.attempt.ended).toMatchObject({ outcome: 'succeeded' });
});

test('P4a: a work order for a network that this version does not have ends as refused, and nothing was tried', async () => {
  host.start();
  const input = { ...makeInput(Buffer.from('weights')), network: 'resnet9000' };
  const grant = makeGrant({ steps: 1, end: 'succeed' }, { teachers: [input] });
  hub.enqueue(grant);
  const attempt = hub.attemptOf(grant);
  await drained(attempt);
  expect(attempt.records).toEqual([
    expect.objectContaining({ kind: 'ended', outcome: 'refused', message: expect.stringContaining('teacherPaths') }),
  ]);
});

test('the hello describes the host, and the id stays the same', async () => {
  const first = host.start(['--name', 'lab machine', '--slots', '3']);
  await waitUntil('hello', () => hub.hellos.length === 1);
  const { report } = hub.hellos[0]!;
  expect(report).toMatchObject({ name: 'lab machine', slots: 3 });
  expect(new Set(report.configFeatures)).toEqual(configFeatures());
  expect(report.datasets.find((d) => d.name === 'toy')).toMatchObject({
    classNames: ['cat', 'dog'],
    trainCount: 2,
    valCount: 2,
  });
  expect(report.datasets.find((d) => d.name === 'digits')?.classNames).toHaveLength(10);
  const id = readFileSync(join(host.dir, 'state', 'host-id'), 'utf8');
  expect(id).toMatch(/^hst_[0-9a-z]{22}\n$/);
  await first.kill('SIGTERM');
  host.start();
  await waitUntil('hello again', () => hub.hellos.length === 2);
  expect(readFileSync(join(host.dir, 'state', 'host-id'), 'utf8')).toBe(id);
});

test('P2: without a single nudge a run is found, cancelled, and its slot used again', async () => {
  hub.nudge = () => {};
  host.start(['--slots', '1']);
  const first = await enqueue({ steps: 10_000, everyMs: 5, end: 'succeed' });
  await waitUntil('it trains', () => first.attempt.steps.length > 3);
  first.attempt.stop = 'cancelled';
  const second = await enqueue({ steps: 3, end: 'succeed' });
  await drained(second.attempt);
  expect([first, second].map(({ attempt }) => attempt.ended?.outcome)).toEqual(['cancelled', 'succeeded']);
});

test('P2: nudges that come in heaps start nothing twice', async () => {
  host.start(['--slots', '1']);
  const runs = [await enqueue({ steps: 20, everyMs: 5, end: 'succeed' }), await enqueue({ steps: 5, end: 'succeed' })];
  await waitUntil('the first trains', () => {
    for (let i = 0; i < 20; i++) hub.nudge();
    return runs[0]!.attempt.steps.length > 3;
  });
  for (const { attempt } of runs) await drained(attempt);
  expect(runs.map(({ attempt }) => attempt.steps.length)).toEqual([20, 5]);
});

test('a second agent in the same folder says who is there and ends; a lock left by a dead one is taken over', async () => {
  const first = host.start();
  await waitUntil('the first is there', () => hub.hellos.length === 1);
  const second = host.start();
  expect(await second.exited).toBe(AGENT_EXIT.locked);
  expect(second.output).toContain(`Another agent (process ${first.child.pid}) already works in`);
  await first.kill('SIGKILL');
  host.start();
  await waitUntil('the third is there', () => hub.hellos.length === 2);
});

test.for(Object.entries(FATAL_REFUSALS))(
  'P4: the refusal %s ends the agent with its code and one sentence',
  async ([refusal, code]) => {
    hub.refusal = refusal;
    const agent = host.start();
    expect(await agent.exited).toBe(code);
    expect(agent.output.trim().split('\n').at(-1)).toMatch(/hub.*\.$/);
  },
);

test('P1, P4: a token that is refused in mid-run ends the agent and not the training', async () => {
  const agent = host.start();
  const { grant, attempt } = await enqueue({ steps: 20, holdAt: 10, end: 'succeed' });
  await waitUntil('it holds', () => attempt.steps.length === 10);
  const pid = await host.trainerPid(grant);
  hub.refusal = 'bad_token';
  await hub.kill();
  await hub.start();
  expect(await agent.exited).toBe(FATAL_REFUSALS.bad_token);
  expect(agent.output).toContain('1 trainers go on');
  expect(identifyProcess(pid)).not.toBeNull();
  hub.refusal = null;
  host.start();
  host.release(grant);
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'succeeded' });
});

test('P4: a refusal that can pass is tried again', async () => {
  hub.refusal = 'the hub is just starting';
  const agent = host.start();
  await waitUntil('the refusal is told', () => agent.output.includes('the hub is just starting'));
  hub.refusal = null;
  await waitUntil('it gets in', () => hub.hellos.length === 1);
});

test('a local agent whose hub stays away ends by itself, but not before its run has', async () => {
  const agent = host.start(['--orphan-exit-ms', '1000']);
  const { grant, attempt } = await enqueue({ steps: 20, holdAt: 10, end: 'succeed' });
  await waitUntil('it holds', () => attempt.steps.length === 10);
  await hub.kill();
  await waitUntil('the loss is noticed', () => agent.output.includes('trying to connect again'));
  expect(agent.child.exitCode).toBeNull();
  host.release(grant);
  expect(await agent.exited).toBe(AGENT_EXIT.ok);
  expect(agent.output).toContain('nothing running');
  await hub.start();
  host.start();
  await drained(attempt);
  expect(attempt.ended).toMatchObject({ outcome: 'succeeded' });
});

test('a hub that is not there is one line, not an end', async () => {
  await hub.kill();
  const agent = host.start();
  await waitUntil('it is told', () => agent.output.includes('cannot be reached (ECONNREFUSED)'));
  await hub.start();
  await waitUntil('it gets in', () => hub.hellos.length === 1);
  expect(agent.output.match(/cannot be reached/g)).toHaveLength(1);
});

test('a state folder that cannot be made is one sentence and an exit code', async () => {
  const agent = host.start(['--dir', '/dev/null/state']);
  expect(await agent.exited).toBe(AGENT_EXIT.stateFolder);
  expect(agent.output).toMatch(/^The state folder cannot be made: .*\n$/);
});

test('on a full disk no runs are taken, and it is said once', async () => {
  const log: string[] = [];
  const limits = { ...agentLimits, minFreeBytes: Number.MAX_SAFE_INTEGER };
  const agent = makeAgent(makeReport({ name: 'full' }), limits, log);
  const running = agent.run();
  const { grant } = await enqueue({ steps: 1, end: 'succeed' });
  await waitUntil('it is told', () => log.some((line) => line.includes('bytes are free at')));
  hub.nudge();
  await agent.stop();
  expect(await running).toBe(AGENT_EXIT.ok);
  expect(hub.queue).toEqual([grant]);
  expect(log.filter((line) => line.includes('bytes are free at'))).toHaveLength(1);
});

test('a change of the datasets is told to the hub at once', async () => {
  const report = makeReport({ name: 'changing', datasets: [] });
  const agent = makeAgent(report, agentLimits, []);
  const running = agent.run();
  await waitUntil('hello', () => hub.hellos.length === 1);
  report.datasets = [makeDataset({ name: 'new' })];
  agent.announce();
  await waitUntil('another hello', () => hub.hellos.length === 2);
  expect(hub.hellos.map((hello) => hello.report.datasets.map(({ name }) => name))).toEqual([[], ['new']]);
  await agent.stop();
  expect(await running).toBe(AGENT_EXIT.ok);
});

/** An agent in this process. */
function makeAgent(report: HostReport, limits: AgentLimits, log: string[]): Agent {
  const cache = new BlobCache(join(host.dir, 'blobs'), 0);
  return new Agent({
    hub: hub.url,
    auth: {
      token: TOKEN,
      protocolVersion: PROTOCOL_VERSION,
      agentVersion: '0',
      hostId: makeId('host', 0, new Uint8Array(12)),
    },
    host: { report, slots: makeSlots(1, 1, []), gpus: [], datasets: new Map(), devices: null },
    attemptsDir: join(host.dir, 'attempts'),
    limits,
    log: (line) => log.push(line),
    blobs: new BlobClient({ hub: hub.url, token: TOKEN, cache, limits, log: () => {} }),
    commandFor: () => ({ program: 'none', args: [], env: {} }),
    shim: null,
    meter: makeHostMeter([], host.dir, () => {}),
    monotonicNow: () => performance.now(),
    orphanExitMs: null,
    oneRun: null,
  });
}
