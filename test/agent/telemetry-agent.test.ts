/** A real agent with a nvidia-smi of the test's: what it measures, of which trainer, and that the hub gets it. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Host } from './support/agent-process.ts';
import { makeGrant } from './support/make-grant.ts';
import { buildPrograms, type Programs } from './support/programs.ts';
import { TestHub } from './support/test-hub.ts';
import { waitUntil } from './support/wait-until.ts';

const A = 'GPU-4f2f3a52-9a3e-7c1b-8a14-2a0f6d1c5e01';
const B = 'GPU-4f2f3a52-9a3e-7c1b-8a14-2a0f6d1c5e02';

let programs: Programs;
let hub: TestHub;
let host: Host;
beforeAll(async () => {
  programs = await buildPrograms();
});
afterAll(() => programs.remove());
beforeEach(async () => {
  hub = new TestHub();
  hub.tunables = { ...hub.tunables, sampleMs: 50 };
  await hub.start();
  host = new Host(programs, hub);
});
afterEach(async () => {
  await host.close();
  await waitUntil('no connection is left', () => hub.connections === 0);
  await hub.kill();
});

/** A nvidia-smi that knows two GPUs. @returns the environment in which it is found */
function installGpus() {
  const bin = join(host.dir, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh
case "$1" in
  *utilization*) while :; do echo "0, ${A}, 10, 100, 1000, 80.5, 40"; echo "1, ${B}, 90, 900, 1000, [N/A], 70"; sleep 0.05; done;;
  --query-gpu=*) echo "0, ${A}, H100, 1000, 570"; echo "1, ${B}, H100, 1000, 570";;
esac
`;
  writeFileSync(join(bin, 'nvidia-smi'), script);
  chmodSync(join(bin, 'nvidia-smi'), 0o755);
  return { PATH: `${bin}:${process.env.PATH}` };
}
const samples = () => hub.sampleBatches.flatMap((batch) => batch.samples);

test('each trainer is measured with the GPU of its slot, and the hub hears which slot that is', async () => {
  const agent = host.start([], installGpus());
  const grants = [0, 1].map(() => makeGrant({ steps: 2, holdAt: 1, end: 'succeed' }));
  hub.enqueue(...grants);
  const sample = await waitUntil('both are measured', () =>
    samples().find(({ gpus, trainers }) => {
      const isMeasured =
        trainers.length === 2 && trainers.every(({ cpuPercent, rssBytes }) => cpuPercent !== null && rssBytes);
      return isMeasured && gpus.every(({ utilisationPercent }) => utilisationPercent !== null);
    }),
  );
  expect(sample.gpus).toEqual([
    {
      index: 0,
      utilisationPercent: 10,
      memoryUsedBytes: 100 * 2 ** 20,
      memoryTotalBytes: 1000 * 2 ** 20,
      powerW: 80.5,
      temperatureC: 40,
    },
    {
      index: 1,
      utilisationPercent: 90,
      memoryUsedBytes: 900 * 2 ** 20,
      memoryTotalBytes: 1000 * 2 ** 20,
      powerW: null,
      temperatureC: 70,
    },
  ]);
  expect(sample.trainers.map(({ slot, gpu }) => [slot, gpu])).toEqual([
    [0, 0],
    [1, 1],
  ]);
  // A Node process that holds something: neither nothing nor the machine's whole memory.
  for (const { rssBytes } of sample.trainers) expect(rssBytes).toBeGreaterThan(10e6);
  for (const { rssBytes } of sample.trainers) expect(rssBytes).toBeLessThan(2e9);
  await waitUntil('a heartbeat says the slots', () => {
    const slots = grants.map((grant) => hub.slots.get(`${grant.runId}.${grant.attempt}`));
    return slots.every((slot, i) => slot === sample.trainers.find(({ runId }) => runId === grants[i]!.runId)?.slot);
  });
  for (const grant of grants) host.release(grant);
  await waitUntil('both are told to the end', () => host.attemptDirs.length === 0);
  // With its nvidia-smi: the host's closing fails when a process is left.
  expect(await agent.kill('SIGTERM')).toBe(0);
});

test('P12a: what was measured while the hub was away comes later, on the clock of the hub', async () => {
  const ahead = 3_600_000;
  hub.clock = () => Date.now() + ahead;
  host.start(['--slots', '1']);
  await waitUntil('samples arrive', () => samples().length > 2);
  await hub.kill();
  const lost = Date.now() + ahead;
  await waitUntil('the agent measures on', () => Date.now() + ahead > lost + 400);
  const back = Date.now() + ahead;
  const before = samples().length;
  await hub.start();
  await waitUntil('samples arrive', () => samples().length > before + 2);
  const during = samples().filter(({ at }) => at > lost && at < back);
  expect(during.length).toBeGreaterThan(2);
  const machine = during[0]!.machine;
  expect(machine.memoryTotalBytes === null).toBe(process.platform !== 'linux');
  expect(during[0]).toMatchObject({ gpus: [], trainers: [] });
});
