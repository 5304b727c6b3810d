/** What a host measures of itself, read from the texts that Linux and nvidia-smi write, and how it reaches the hub. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type HostSample,
  MAX_SAMPLE_BATCH,
  type SampleBatch,
  SampleBatch as Schema,
} from '@mealtable/protocol/telemetry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { meanReading, parseGpuReading } from '../../trainer/agent/telemetry/gpu-readings.ts';
import { GpuStream } from '../../trainer/agent/telemetry/gpu-stream.ts';
import { MachineMeter } from '../../trainer/agent/telemetry/machine-meter.ts';
import * as proc from '../../trainer/agent/telemetry/proc.ts';
import { Sampler } from '../../trainer/agent/telemetry/sampler.ts';
import { TrainerMeter } from '../../trainer/agent/telemetry/trainer-meter.ts';
import { waitUntil } from './support/wait-until.ts';

const UUID = 'GPU-4f2f3a52-9a3e-7c1b-8a14-2a0f6d1c5e01';

describe('texts', () => {
  test('a line of nvidia-smi: MiB become bytes, what a device does not tell is null, complaints are no readings', () => {
    expect(parseGpuReading(`0, ${UUID}, 93, 70123, 81559, 512.34, 61`)).toEqual({
      uuid: UUID,
      values: {
        utilisationPercent: 93,
        memoryUsedBytes: 70123 * 2 ** 20,
        memoryTotalBytes: 81559 * 2 ** 20,
        powerW: 512.34,
        temperatureC: 61,
      },
    });
    expect(parseGpuReading(`1, ${UUID}, [N/A], [Not Supported], [N/A], [Unknown Error], -3`)?.values).toEqual({
      utilisationPercent: null,
      memoryUsedBytes: null,
      memoryTotalBytes: null,
      powerW: null,
      temperatureC: -3,
    });
    for (const line of ['', 'Unable to determine the device handle for GPU0000:01:00.0: Unknown Error', '0, GPU-1, 5'])
      expect(parseGpuReading(line), line).toBeNull();
  });

  test('a sample of a GPU is the mean of what was read since the last one, over the numbers alone', () => {
    const readings = ['10, 1, 2, [N/A], 40', '30, 1, 2, [N/A], [N/A]'].map(
      (rest) => parseGpuReading(`0, ${UUID}, ${rest}`)!,
    );
    expect(meanReading(3, readings)).toMatchObject({
      index: 3,
      utilisationPercent: 20,
      powerW: null,
      temperatureC: 40,
    });
    expect(meanReading(3, [])).toMatchObject({ utilisationPercent: null, memoryUsedBytes: null });
  });

  test('cores and memory', () => {
    expect(proc.parseCpuTicks('cpu  10 1 4 80 5 0 2 3 7 0\ncpu0 5 0 2 40 1 0 0 0 0 0\n')).toEqual({
      total: 105,
      idle: 85,
    });
    expect(proc.parseCpuTicks('intr 1 2')).toBeNull();
    const meminfo = 'MemTotal:       16384 kB\nMemFree:  1 kB\nMemAvailable:    4096 kB\n';
    expect(proc.parseMemory(meminfo)).toEqual({ total: 16384 * 1024, available: 4096 * 1024 });
    expect(proc.parseMemory('MemTotal: 1 kB')).toBeNull();
  });

  test('disks count once: no partitions, and nothing that lies on another disk', () => {
    const row = (name: string, read: number, written: number) => `   8 0 ${name} 5 0 ${read} 9 5 0 ${written} 9 0 9 9`;
    const text = [
      row('sda', 10, 20),
      row('sda1', 10, 20),
      row('nvme0n1', 4, 8),
      row('nvme0n1p2', 4, 8),
      row('dm-0', 1, 1),
      row('loop0', 1, 1),
    ];
    expect(proc.parseDisks(text.join('\n'))).toEqual(
      new Map([
        ['sda', { in: 5120, out: 10240 }],
        ['nvme0n1', { in: 2048, out: 4096 }],
      ]),
    );
  });

  test('networks count once: not the machine with itself, and no bridges, tunnels or parts of others', () => {
    const names = ['lo', 'eth0', 'docker0', 'veth1a', 'bond0', 'eth0.100', 'enp3s0f0np0'];
    const text = `Inter-|   Receive\n face |bytes\n${names.map((name) => `${name.padStart(6)}: 100 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0`).join('\n')}\n`;
    expect([...proc.parseNetworks(text).keys()]).toEqual(['eth0', 'enp3s0f0np0']);
    expect(proc.parseNetworks(text).get('eth0')).toEqual({ in: 100, out: 7 });
  });

  test('a process whose name looks like fields', () => {
    expect(proc.parseProcess('42 (a ) R 1 (b)) S 1 40 40 0 -1 4 1 1 1 1 250 50 0 0 20 0 1 0 99')).toEqual({
      group: 40,
      ticks: 300,
    });
    expect(proc.parseProcess('')).toBeNull();
  });

  test('rates are per second, a device that was reset counts as silent, and one that was not there before not at all', () => {
    const before = new Map([
      ['a', { in: 1000, out: 0 }],
      ['b', { in: 500, out: 500 }],
    ]);
    const now = new Map([
      ['a', { in: 2000, out: 50 }],
      ['b', { in: 0, out: 0 }],
      ['c', { in: 9e9, out: 9e9 }],
    ]);
    expect(proc.ratesOf(before, now, 5)).toEqual({ in: 200, out: 10 });
    expect(proc.ratesOf(new Map(), now, 5)).toEqual({ in: null, out: null });
  });
});

describe('meters', () => {
  test('without /proc everything but the disk space is unknown, and unknown is not 0', async () => {
    const meter = new MachineMeter({ folder: tmpdir(), monotonicNow: () => 0, readProc: () => null });
    const { diskFreeBytes, diskUsedBytes, ...rest } = await meter.measure();
    expect([diskFreeBytes! > 0, diskUsedBytes! > 0]).toEqual([true, true]);
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
  });

  test('cores are those busy since the last look, in percent of all', async () => {
    let ticks = 'cpu 0 0 0 100 0 0 0 0\n';
    const readProc = (path: string) => (path === '/proc/stat' ? ticks : null);
    const meter = new MachineMeter({ folder: tmpdir(), monotonicNow: () => 0, readProc });
    ticks = 'cpu 60 0 15 125 0 0 0 0\n';
    expect((await meter.measure()).cpuPercent).toBe(75);
    expect((await meter.measure()).cpuPercent).toBeNull();
  });

  test('a trainer is its whole process group, and nobody looks at processes without one', () => {
    let now = 0;
    let looks = 0;
    const stats = new Map([
      [50, '50 (node) S 1 50 50 0 -1 4 1 1 1 1 100 0 0 0'],
      [51, '51 (worker) S 50 50 50 0 -1 4 1 1 1 1 0 0 0 0'],
      [60, '60 (other) S 1 60 60 0 -1 4 1 1 1 1 5000 0 0 0'],
    ]);
    const meter = new TrainerMeter({
      monotonicNow: () => now,
      listProcesses: () => {
        looks++;
        return [...stats.keys()];
      },
      readProc: (path) => {
        const [, , pid, file] = path.split('/');
        return file === 'stat' ? (stats.get(Number(pid)) ?? null) : `Name: x\nVmRSS:\t 1000 kB\n`;
      },
    });
    expect([meter.measure([]).size, looks]).toEqual([0, 0]);
    expect(meter.measure([50]).get(50)).toEqual({ cpuPercent: null, rssBytes: 2_048_000 });
    now = 2_000;
    stats.set(50, '50 (node) S 1 50 50 0 -1 4 1 1 1 1 250 50 0 0');
    // A process that has come in between: all its work is of this time.
    stats.set(52, '52 (new) S 50 50 50 0 -1 4 1 1 1 1 100 0 0 0');
    expect(meter.measure([50, 99])).toEqual(
      new Map([
        [50, { cpuPercent: 150, rssBytes: 3_072_000 }],
        [99, { cpuPercent: null, rssBytes: null }],
      ]),
    );
  });
});

describe('nvidia-smi as one long-lived child', () => {
  let dir: string;
  const path = process.env.PATH;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'mealtable-smi-'));
    process.env.PATH = `${dir}:${path}`;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(dir, { recursive: true });
  });
  /** @param body a shell script that gets nvidia-smi's arguments; `$n` is the number of this start */
  function install(body: string) {
    const script = `#!/bin/sh\necho start >> ${dir}/starts\nn=$(wc -l < ${dir}/starts)\necho "$@" > ${dir}/arguments\n${body}\n`;
    writeFileSync(join(dir, 'nvidia-smi'), script);
    chmodSync(join(dir, 'nvidia-smi'), 0o755);
  }
  const starts = () => (existsSync(join(dir, 'starts')) ? readFileSync(join(dir, 'starts'), 'utf8').length / 6 : 0);
  const gpus = [{ index: 2, uuid: UUID, name: 'GPU', memoryBytes: 0, driver: null }];
  const log: string[] = [];
  const open = (limits = {}) => {
    log.length = 0;
    const all = { readingMs: 100, silenceMs: 5_000, restartMs: 10, ...limits };
    return new GpuStream({ gpus, limits: all, log: (line) => log.push(line) });
  };
  const line = (percent: number) => `echo "0, ${UUID}, ${percent}, 5, 10, [N/A], 50"`;

  test('prints again and again without being started again, and ends with the agent', async () => {
    install(`echo "9, GPU-of-others, 1, 1, 1, 1, 1"; while :; do ${line(40)}; ${line(60)}; exec sleep 60; done`);
    const stream = open();
    const sample = await waitUntil('a reading', () => stream.take().find((each) => each.utilisationPercent !== null));
    expect(sample).toMatchObject({ index: 2, memoryUsedBytes: 5 * 2 ** 20, powerW: null });
    expect(stream.take()).toEqual([expect.objectContaining({ index: 2, utilisationPercent: null })]);
    expect(readFileSync(join(dir, 'arguments'), 'utf8')).toMatch(
      /^--query-gpu=index,uuid,utilization.gpu,.* --loop-ms=100\n$/,
    );
    expect(starts()).toBe(1);
    await stream.close();
    expect(log).toEqual([]);
  });

  test('one that ends is started again, which is told once', async () => {
    install(`if [ $n -ge 3 ]; then ${line(70)}; exec sleep 60; fi`);
    const stream = open();
    await waitUntil('a reading', () => stream.take()[0]?.utilisationPercent === 70);
    expect(starts()).toBe(3);
    await stream.close();
    expect(log).toEqual(['nvidia-smi tells nothing of the GPUs (it ended); it is started again until it does.']);
  });

  test('one that falls silent is killed and started again', async () => {
    install(`if [ $n -ge 2 ]; then ${line(80)}; fi; exec sleep 60`);
    const stream = open({ silenceMs: 100 });
    await waitUntil('a reading', () => stream.take()[0]?.utilisationPercent === 80);
    await stream.close();
    expect(log[0]).toMatch(/\(nothing came for 0\.1 s\)/);
  });

  test('one that is not there is told once, too', async () => {
    process.env.PATH = dir;
    const stream = open();
    await waitUntil('it is told', () => log.length > 0);
    expect(log).toEqual([expect.stringMatching(/ENOENT/)]);
    await stream.close();
  });
});

describe('sending', () => {
  const sample: HostSample = {
    machine: {
      cpuPercent: 1,
      memoryUsedBytes: null,
      memoryTotalBytes: null,
      diskUsedBytes: null,
      diskFreeBytes: null,
      diskReadBytesPerS: null,
      diskWriteBytesPerS: null,
      networkReceivedBytesPerS: null,
      networkSentBytesPerS: null,
    },
    gpus: [],
    trainers: [],
  };
  let now: number;
  let batches: SampleBatch[];
  let answers: boolean;
  let over: AbortController;
  beforeEach(() => {
    now = 1_000;
    batches = [];
    answers = true;
    over = new AbortController();
  });
  afterEach(() => over.abort());
  /** A sampler whose clock goes on by 5 s with every sample. */
  function start(backlogMs = 900_000) {
    let taken = 0;
    const sampler = new Sampler({
      measure: async () => {
        taken++;
        now += 5_000;
        return sample;
      },
      send: async (batch) => {
        batches.push(Schema.parse(batch));
        return answers ? { ok: true } : null;
      },
      sampleMs: () => 1,
      backlogMs,
      log: () => {},
      monotonicNow: () => now,
    });
    const running = sampler.run(over.signal);
    const stop = async () => {
      over.abort();
      await running;
    };
    return { sampler, stop, taken: () => taken };
  }
  const times = () => batches.flatMap((batch) => batch.samples.map(({ at }) => at));

  test('before the hub has said its time nothing is sent; then all goes, with the times at which it was taken', async () => {
    const { sampler, stop, taken } = start();
    await waitUntil('a few are taken', () => taken() >= 3);
    await stop();
    expect(batches).toEqual([]);
    const count = taken();
    now += 60_000;
    sampler.open(500_000);
    await waitUntil('all are sent', () => times().length === count);
    expect(times()).toEqual(Array.from({ length: count }, (_, i) => 440_000 - (count - 1 - i) * 5_000));
  });

  test('what the hub did not answer comes again with the same time, whatever its clock says then', async () => {
    answers = false;
    const { sampler, stop, taken } = start();
    await waitUntil('one is taken', () => taken() >= 1);
    await stop();
    sampler.open(500_000);
    await waitUntil('it is sent', () => batches.length === 1);
    answers = true;
    sampler.close();
    sampler.open(777_777);
    await waitUntil('it is sent again', () => batches.length === 2);
    expect(batches[1]).toEqual(batches[0]);
    sampler.open(888_888);
    expect(batches).toHaveLength(2);
  });

  test('between the end of a connection and the next hello nothing is sent', async () => {
    const { sampler, stop, taken } = start();
    sampler.open(500_000);
    await waitUntil('samples arrive', () => batches.length >= 2);
    sampler.close();
    const [sent, before] = [times().length, taken()];
    await waitUntil('more are taken', () => taken() >= before + 3);
    await stop();
    expect(times().length).toBeLessThanOrEqual(sent + 1);
    sampler.open(600_000);
    await waitUntil('all are sent', () => times().length === taken());
  });

  test('only the last minutes wait, and they come in batches of bounded size', async () => {
    const { sampler, stop, taken } = start(500_000);
    await waitUntil('many are taken', () => taken() >= 150);
    await stop();
    sampler.open(10_000_000);
    await waitUntil('all are sent', () => times().length === 100);
    expect(batches.map((batch) => batch.samples.length)).toEqual([MAX_SAMPLE_BATCH, 100 - MAX_SAMPLE_BATCH]);
    expect(times().at(-1)).toBe(10_000_000);
    expect(times()[0]).toBe(10_000_000 - 99 * 5_000);
  });
});
