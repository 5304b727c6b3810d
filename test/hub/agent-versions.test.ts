/** Hub and hosts are not updated at the same moment: what an agent of another version gets, and what it does not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_NAMESPACE, type Grant } from '@mealtable/protocol/agent-messages';
import { configFeatures, featuresOf } from '@mealtable/protocol/config-features';
import { RunConfig } from '@mealtable/protocol/run-config';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FEATURES_OF_PROTOCOL_1 } from '../../server/runs/features-of-protocol-1.ts';
import { addStudy, runsOf, statusOf } from '../support/core.ts';
import { emptyTables } from '../support/empty-tables.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { closeSockets, connectAgent, connectSocket } from '../support/scripted-agent.ts';
import { METRIC_TABLES } from '../support/stored-points.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterEach(closeSockets);
afterAll(() => hub.close());
beforeEach(() => emptyTables(hub.hub.pool, ['studies', 'hosts', ...METRIC_TABLES, 'log_lines']));

const query = async <T>(sql: string, ...values: unknown[]) => (await hub.hub.pool.query(sql, values)).rows as T[];
const refusalsOf = (runId: string) =>
  query<{ host_id: string; reason: string }>('SELECT host_id, reason FROM run_refusals WHERE run_id = $1', runId);
const countersOf = async (runId: string) =>
  (await query<Record<string, unknown>>('SELECT attempt, max_attempts FROM runs WHERE id = $1', runId))[0];

/** A run that can be claimed, with fields set in its config. Some host must have the dataset. */
async function addRun(more: Record<string, unknown> = {}): Promise<string> {
  const [teacher] = await runsOf(hub.hub, await addStudy(hub.hub));
  await query('UPDATE runs SET config = config || $2 WHERE id = $1', teacher, JSON.stringify(more));
  return teacher!;
}

/** What an agent of protocol 1 sent, recorded at its socket; the token is left out. */
const RECORDED = JSON.parse(readFileSync(join(import.meta.dirname, 'agent-of-protocol-1.json'), 'utf8'));

async function connectProtocol1() {
  const { token } = await hub.addToken({ kind: 'agent', label: 'old' }, null);
  const socket = await connectSocket<Socket>(`${hub.url}${AGENT_NAMESPACE}`, { ...RECORDED.auth, token });
  return {
    hostId: RECORDED.auth.hostId as string,
    hello: await socket.timeout(10_000).emitWithAck('agent:hello', RECORDED.hello),
    request: async (): Promise<Grant[]> =>
      (await socket.timeout(10_000).emitWithAck('run:request', RECORDED.request)).grants,
    heartbeat: () => socket.timeout(10_000).emitWithAck('agent:heartbeat', RECORDED.heartbeat),
  };
}

describe('P4, P4a: an agent of protocol 1', () => {
  test('is served: it is greeted, heard and given runs', async () => {
    const agent = await connectProtocol1();
    expect(agent.hello).toMatchObject({ attempts: [], tunables: { heartbeatMs: expect.any(Number) } });
    expect(await agent.heartbeat()).toEqual({ stop: [] });
    const run = await addRun();
    expect((await agent.request()).map((grant) => grant.runId)).toEqual([run]);
  });

  test('gets no run that it cannot read: the run waits untouched and says why, and another host has it', async () => {
    const old = await connectProtocol1();
    const run = await addRun({ labelSmoothing: 0.1 });
    // As if the field had come after protocol 1.
    const readable = [...FEATURES_OF_PROTOCOL_1].filter((feature) => feature !== 'labelSmoothing');
    await query('UPDATE hosts SET report = report || $1', JSON.stringify({ configFeatures: readable }));
    expect(await old.request()).toEqual([]);
    expect(await countersOf(run)).toEqual({ attempt: 0, max_attempts: 5 });
    expect(await refusalsOf(run)).toEqual([
      {
        host_id: old.hostId,
        reason: expect.stringMatching(/too old for this run, it does not know labelSmoothing: update/),
      },
    ]);
    const agent = await connectAgent(hub);
    await agent.hello([], { configFeatures: [...configFeatures()] });
    expect((await agent.request(1)).map((grant) => grant.runId)).toEqual([run]);
  });

  test('is known to understand nothing that this version has not, but all that it had', () => {
    expect([...FEATURES_OF_PROTOCOL_1].filter((feature) => !configFeatures().has(feature))).toEqual([]);
    expect(FEATURES_OF_PROTOCOL_1.has('softLabels.mode=cached')).toBe(true);
    expect(FEATURES_OF_PROTOCOL_1.has('task=labelling')).toBe(false);
  });
});

describe('P4a: a grant that the agent refuses', () => {
  test('gives the attempt back, is not offered to this agent again, and goes to another', async () => {
    const agent = await connectAgent(hub);
    await agent.hello();
    const run = await addRun();
    const [grant] = await agent.request(1);
    const refusal = { runId: run, attempt: grant!.attempt, reason: 'I do not know this optimiser.' };
    expect(await agent.ask('run:refuse', refusal)).toEqual({ ok: true });
    expect(await statusOf(hub.hub, run)).toBe('queued');
    expect(await countersOf(run)).toEqual({ attempt: 1, max_attempts: 6 });
    expect(await refusalsOf(run)).toEqual([{ host_id: agent.hostId, reason: refusal.reason }]);
    expect(await query('SELECT outcome, failure_code, message FROM run_attempts WHERE run_id = $1', run)).toEqual([
      { outcome: 'refused', failure_code: null, message: refusal.reason },
    ]);
    expect(await agent.request(1)).toEqual([]);
    agent.socket.disconnect();
    const again = await connectAgent(hub, { hostId: agent.hostId });
    await again.hello();
    expect(await again.request(1)).toEqual([]);
    const other = await connectAgent(hub);
    await other.hello();
    expect((await other.request(1)).map(({ runId, attempt }) => [runId, attempt])).toEqual([[run, 2]]);
  });

  test('is offered again to the same host when its agent is another version', async () => {
    const agent = await connectAgent(hub);
    await agent.hello();
    const run = await addRun();
    await agent.request(1);
    await agent.ask('run:refuse', { runId: run, attempt: 1, reason: 'Not yet.' });
    agent.socket.disconnect();
    const updated = await connectAgent(hub, { hostId: agent.hostId, agentVersion: '1.0.1' });
    await updated.hello();
    expect((await updated.request(1)).map((grant) => grant.runId)).toEqual([run]);
  });

  test('stays with whoever has it when another host, or a late message, refuses it', async () => {
    const agent = await connectAgent(hub);
    await agent.hello();
    const run = await addRun();
    await agent.request(1);
    const stranger = await connectAgent(hub);
    await stranger.hello();
    await stranger.ask('run:refuse', { runId: run, attempt: 1, reason: 'Not mine.' });
    await agent.ask('run:refuse', { runId: run, attempt: 7, reason: 'Not now.' });
    expect(await statusOf(hub.hub, run)).toBe('claimed');
    expect(await refusalsOf(run)).toEqual([]);
  });

  test('is noted likewise when the agent found out only from the whole work order', async () => {
    const agent = await connectAgent(hub);
    await agent.hello();
    const run = await addRun();
    await agent.request(1);
    const head = { seq: 1, at: 1_700_000_000_000, exitCode: null, signal: null, failureCode: null };
    const ended = { ...head, kind: 'ended', outcome: 'refused', message: 'No such network.' };
    expect(await agent.records({ runId: run, attempt: 1 }, [ended])).toMatchObject({ ok: true, ackedSeq: 1 });
    expect(await countersOf(run)).toEqual({ attempt: 1, max_attempts: 6 });
    expect(await refusalsOf(run)).toEqual([{ host_id: agent.hostId, reason: 'No such network.' }]);
    expect(await agent.request(1)).toEqual([]);
  });
});

test('what a config needs is every field and every named value in it', () => {
  const config = RunConfig.parse({
    task: 'classification',
    version: 1,
    dataset: 'digits',
    network: 'resnet18',
    initialisation: { kind: 'pretrained', weights: 'resnet18.tv_in1k', head: 'replace' },
    inputSize: 224,
    epochs: 1,
    batchSize: 8,
    seed: 0,
    optimizer: { learningRate: 0.1, adamw: {} },
  });
  const needs = featuresOf(config);
  expect(needs).toEqual(expect.arrayContaining(['task=classification', 'network=resnet18', 'optimizer.adamw.beta1']));
  expect(needs).toContain('initialisation.weights=resnet18.tv_in1k');
  expect(needs).not.toContain('dataset=digits');
  expect(needs.filter((feature) => !configFeatures().has(feature))).toEqual([]);
});
