/** A host's GPUs as its nvidia-smi tells of them: a program of the test that prints what a file says. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { DeviceWatch, parseComputeProcesses } from '../../trainer/agent/device-watch.ts';
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
let bin: string;
beforeAll(async () => {
  programs = await buildPrograms();
});
afterAll(() => programs.remove());
beforeEach(async () => {
  hub = new TestHub();
  await hub.start();
  host = new Host(programs, hub);
  bin = join(host.dir, 'bin');
  mkdirSync(bin);
  const name = 'NVIDIA H100 80GB HBM3';
  writeFileSync(join(bin, 'gpus'), `0, ${A}, ${name}, 81559, 570.86.15\n1, ${B}, ${name}, 81559, 570.86.15\n`);
  writeFileSync(
    join(bin, 'nvidia-smi'),
    `#!/bin/sh\ncase "$1" in --query-gpu=index,uuid,*) cat ${bin}/gpus;; --query-compute-apps=*) cat ${bin}/users;; esac\n`,
  );
  chmodSync(join(bin, 'nvidia-smi'), 0o755);
  computing();
});
afterEach(async () => {
  await host.close();
  await waitUntil('no connection is left', () => hub.connections === 0);
  await hub.kill();
});

/** These processes compute, each on one GPU. */
const computing = (...users: [uuid: string, pid: number][]) =>
  writeFileSync(join(bin, 'users'), users.map(([uuid, pid]) => `${uuid}, ${pid}, /usr/bin/python3\n`).join(''));
const start = (extra: string[] = [], env: Record<string, string> = {}) =>
  host.start(extra, { PATH: `${bin}:${process.env.PATH}`, ...env });
const lastReport = () => hub.hellos.at(-1)?.report;

/** Devices that the trainers of new runs see, once all of them hold. */
async function devicesOf(count: number): Promise<string[]> {
  const grants = Array.from({ length: count }, () => makeGrant({ steps: 2, holdAt: 1, end: 'succeed' }));
  hub.enqueue(...grants);
  const devices = await waitUntil('all train', () => {
    const started = grants.flatMap((grant) => hub.attemptOf(grant).records.filter((r) => r.kind === 'started'));
    return started.length === count ? started.map((record) => record.device) : null;
  });
  for (const grant of grants) host.release(grant);
  await waitUntil('all are told to the end', () => host.attemptDirs.length === 0);
  return devices.sort();
}

test('P1: each GPU is a slot whose trainer sees it alone, by its UUID, and the hub gets to know the driver', async () => {
  start();
  expect(await devicesOf(2)).toEqual([A, B]);
  const gpu = { name: 'NVIDIA H100 80GB HBM3', memoryBytes: 81559 * 2 ** 20, driver: '570.86.15' };
  expect(lastReport()).toMatchObject({
    slots: 2,
    gpus: [
      { ...gpu, index: 0, uuid: A },
      { ...gpu, index: 1, uuid: B },
    ],
    problems: [],
  });
});

test.for(['1', B, `${B},7`])('of what CUDA_VISIBLE_DEVICES names, here %s, no more is used', async (visible) => {
  start([], { CUDA_VISIBLE_DEVICES: visible });
  expect(await devicesOf(1)).toEqual([B]);
  expect(lastReport()).toMatchObject({ slots: 1, gpus: [{ index: 1 }] });
});

test('a GPU on which another program computes is not offered, which the hub is told, until that has ended', async () => {
  computing([A, 1]);
  const agent = start();
  await waitUntil('hello', () => hub.hellos.length === 1);
  expect(lastReport()?.problems).toEqual([
    expect.stringMatching(
      /^GPU 0 \(NVIDIA H100 80GB HBM3\) is used by another program, process 1 \(\/usr\/bin\/python3\)/,
    ),
  ]);
  expect(agent.output).toContain('GPU 0 (NVIDIA H100 80GB HBM3) is used by another program');
  const grants = [0, 1].map(() => makeGrant({ steps: 2, holdAt: 1, end: 'succeed' }));
  hub.enqueue(...grants);
  await waitUntil('one trains', () => hub.queue.length === 1);
  await host.trainerPid(grants[0]!);
  computing();
  await waitUntil('the other, too', () => hub.attemptOf(grants[1]!).records.length > 0);
  expect(hub.attemptOf(grants[1]!).records[0]).toMatchObject({ device: A });
  expect(lastReport()?.problems).toEqual([]);
  for (const grant of grants) host.release(grant);
  await waitUntil('both are told to the end', () => host.attemptDirs.length === 0);
});

test('with --share-gpus other programs do not matter', async () => {
  computing([A, 1], [B, 1]);
  start(['--share-gpus']);
  expect(await devicesOf(2)).toEqual([A, B]);
  expect(lastReport()?.problems).toEqual([]);
});

test('processes are read as nvidia-smi prints them, and those of our own trainers are no others', async () => {
  const csv = `${A}, 4711, python3 -c a, b\n${B}, 12, /usr/bin/nvidia-cuda-mps-server\n${B}, [N/A], [Not Found]\n\n`;
  expect(parseComputeProcesses(csv)).toEqual([
    { gpuUuid: A, pid: 4711, name: 'python3 -c a, b' },
    { gpuUuid: B, pid: 12, name: '/usr/bin/nvidia-cuda-mps-server' },
  ]);
  const gpus = [A, B].map((uuid, index) => ({ index, uuid, name: 'GPU', memoryBytes: 0, driver: null }));
  let now = 0;
  const watch = (isOurs: (pid: number) => boolean) =>
    new DeviceWatch({ gpus, isOurs, log: () => {}, monotonicNow: () => now, query: async () => csv });
  const foreign = watch(() => false);
  expect([await foreign.refresh(new Set()), foreign.isTaken(A), foreign.isTaken(B)]).toEqual([true, true, false]);
  now = 10_000;
  // One of our runs has begun there.
  expect([await foreign.refresh(new Set([A])), foreign.isTaken(A)]).toEqual([true, false]);
  const ours = watch((pid) => pid === 4711);
  expect([await ours.refresh(new Set()), ours.problems]).toEqual([false, []]);
});
