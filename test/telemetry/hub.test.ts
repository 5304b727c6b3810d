/** From a real agent with a nvidia-smi of the test's to what a page reads and hears of a host and of a run. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BrowserToHub,
  type HostSampledEvent,
  type HubToBrowser,
  LIVE_NAMESPACE,
} from '@mealtable/protocol/live-messages';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createCaller } from '../../server/api/root.ts';
import { createStudy } from '../../server/studies/create.ts';
import { Host } from '../agent/support/agent-process.ts';
import type { FakeScript } from '../agent/support/fake-script.ts';
import { buildPrograms, type Programs } from '../agent/support/programs.ts';
import { waitUntil } from '../agent/support/wait-until.ts';
import { smallDesign } from '../support/core.ts';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';
import { closeSockets, connectAgent, connectSocket } from '../support/scripted-agent.ts';

const UUID = 'GPU-4f2f3a52-9a3e-7c1b-8a14-2a0f6d1c5e01';
const SCRIPT: FakeScript = { steps: 2, holdAt: 1, end: 'succeed' };
const WAIT_MS = 60_000;

let programs: Programs;
let hub: TestHub;
let viewer: TestMember;
let host: Host | null = null;
beforeAll(async () => {
  [programs, hub] = await Promise.all([buildPrograms(), startTestHub()]);
  viewer = await hub.addMember('viewer');
});
afterEach(async () => {
  closeSockets();
  await host?.close();
  host = null;
});
afterAll(async () => {
  await hub.close();
  programs.remove();
});

const api = () =>
  createCaller({
    ...hub.hub,
    member: { id: viewer.id, name: 'v', email: viewer.email, role: 'viewer', via: 'session', credentialId: 'c' },
  });

test('a page that watches a host hears its samples, and the run has its GPU, memory, cores and slot', {
  timeout: 60_000,
}, async () => {
  const { token } = await hub.addToken({ kind: 'agent', label: 'test' }, null);
  host = new Host(programs, { url: hub.url, token });
  const bin = join(host.dir, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh
case "$1" in
  *utilization*) while :; do echo "0, ${UUID}, 75, 100, 1000, 80.5, 40"; sleep 0.2; done;;
  --query-gpu=*) echo "0, ${UUID}, H100, 1000, 570";;
esac
`;
  writeFileSync(join(bin, 'nvidia-smi'), script);
  chmodSync(join(bin, 'nvidia-smi'), 0o755);
  const agent = host.start([], { PATH: `${bin}:${process.env.PATH}`, FAKE_SCRIPT: JSON.stringify(SCRIPT) });
  const hosts = async () => (await hub.hub.pool.query('SELECT 1 FROM hosts')).rows.length;
  await waitUntil('the host is known', async () => (await hosts()) === 1, WAIT_MS);
  await createStudy(hub.hub, { name: 's', notes: '', design: smallDesign(), createdById: null });
  const attempt = await waitUntil(
    'the slot is known',
    async () =>
      (
        await hub.hub.pool.query<{ run_id: string; host_id: string; slot: number }>(
          'SELECT run_id, host_id, slot FROM run_attempts WHERE slot IS NOT NULL',
        )
      ).rows[0],
    WAIT_MS,
  );
  const page = await connectSocket<Socket<HubToBrowser, BrowserToHub>>(
    `${hub.url}${LIVE_NAMESPACE}`,
    {},
    { cookie: viewer.cookie },
  );
  const heard: HostSampledEvent[] = [];
  page.on('host:sampled', (event) => heard.push(event));
  expect(await page.emitWithAck('watch', { kind: 'host', hostId: attempt.host_id })).toEqual({ ok: true });
  await waitUntil(
    'a sample with both is heard',
    () => heard.some(({ sample }) => sample.gpus[0]?.utilisationPercent === 75 && sample.trainers[0]?.rssBytes),
    WAIT_MS,
  );
  const known = (column: (number | null)[] | undefined) => column?.filter((value) => value !== null).at(-1);
  const ofRun = await api().telemetry.run({ runId: attempt.run_id });
  expect([known(ofRun.gpu.utilisationPercent), known(ofRun.gpu.powerW), known(ofRun.gpu.memoryUsedBytes)]).toEqual([
    75,
    80.5,
    100 * 2 ** 20,
  ]);
  expect(known(ofRun.trainer.rssBytes)).toBeGreaterThan(10e6);
  const ofHost = await api().telemetry.host({ hostId: attempt.host_id, window: { range: '15m' } });
  expect(ofHost.gpus.map(({ name, columns }) => [name, known(columns.temperatureC)])).toEqual([['H100', 40]]);
  expect(known(ofHost.machine.diskFreeBytes)).toBeGreaterThan(0);
  const { attempts } = await api().telemetry.hostAttempts({ hostId: attempt.host_id, window: { range: '1h' } });
  expect(attempts).toMatchObject([{ runId: attempt.run_id, attempt: 1, slot: 0, outcome: null, studyName: 's' }]);
  await agent.kill('SIGTERM');
});

test('P12: samples need a hello first, and those that cannot be read are refused with the path of the fault', async () => {
  const agent = await connectAgent(hub);
  const sample = { at: Date.now(), machine: {}, gpus: [], trainers: [] };
  expect(await agent.ask('agent:samples', { widthS: 5, samples: [sample] })).toMatchObject({
    ok: false,
    path: 'samples.0.machine.cpuPercent',
  });
  expect(await agent.ask('agent:samples', { widthS: 7, samples: [] })).toMatchObject({ ok: false, path: 'widthS' });
  const reply = await agent.hello();
  expect(Math.abs(reply.now! - Date.now())).toBeLessThan(60_000);
});
