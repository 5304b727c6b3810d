/** What hosts measure, in a real database: filed once, averaged over minutes, deleted in time, and read back for charts. */
import type { HostSample, SampleBatch } from '@mealtable/protocol/telemetry';
import { KEEP_SAMPLES_MS } from '@mealtable/protocol/tunables';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { finishAttempt } from '../../server/runs/lifecycle.ts';
import { transact } from '../../server/runs/transaction.ts';
import { makeBins } from '../../server/telemetry/bins.ts';
import { listHostAttempts } from '../../server/telemetry/host-attempts.ts';
import { meanSample } from '../../server/telemetry/mean-sample.ts';
import { noteSlots } from '../../server/telemetry/note-slots.ts';
import { readHostTelemetry, readRunTelemetry } from '../../server/telemetry/read.ts';
import { readClock } from '../../server/telemetry/read-clock.ts';
import { storeSamples } from '../../server/telemetry/store-samples.ts';
import { deleteOlder, makeTelemetrySweep } from '../../server/telemetry/sweep.ts';
import { addHost, addStudy, type Core, type CoreHub, claimOne, createCore } from '../support/core.ts';

let core: Core;
let hub: CoreHub;
let hostId: string;
let now: number;
beforeAll(async () => {
  core = await createCore();
  hub = core.hub;
});
afterAll(() => core.close());
beforeEach(async () => {
  await core.reset();
  hostId = await addHost(hub, { gpus: [{ index: 0, name: 'H100', memoryBytes: 1e9 }] });
  now = Math.floor(await readClock(hub.pool));
});

function makeSample(cpuPercent: number | null, more: Partial<HostSample> = {}): HostSample {
  const machine = {
    cpuPercent,
    memoryUsedBytes: null,
    memoryTotalBytes: null,
    diskUsedBytes: null,
    diskFreeBytes: null,
    diskReadBytesPerS: null,
    diskWriteBytesPerS: null,
    networkReceivedBytesPerS: null,
    networkSentBytesPerS: null,
  };
  return { machine, gpus: [], trainers: [], ...more };
}
const gpu = (utilisationPercent: number | null, index = 0) => ({
  index,
  utilisationPercent,
  memoryUsedBytes: 5,
  memoryTotalBytes: 10,
  powerW: null,
  temperatureC: null,
});
const send = (...samples: SampleBatch['samples']) => storeSamples(hub, hostId, { widthS: 5, samples });
const rows = async () =>
  (
    await hub.pool.query<{ width_s: number; at: Date; sample: HostSample & { count?: number } }>(
      'SELECT width_s, at, sample FROM host_samples ORDER BY width_s, at',
    )
  ).rows;
const MINUTE = 60_000;

describe('filing', () => {
  test('a sample that comes twice is there once, as it came first, and is told to watchers once', async () => {
    const told: unknown[] = [];
    hub.bus.on('host:sampled', (event) => told.push(event));
    await send({ ...makeSample(10), at: now - 5_000 }, { ...makeSample(20), at: now });
    await send({ ...makeSample(99), at: now });
    expect((await rows()).map(({ at, sample }) => [at.getTime(), sample.machine.cpuPercent])).toEqual([
      [now - 5_000, 10],
      [now, 20],
    ]);
    expect(told).toEqual([{ hostId, at: now, sample: makeSample(20) }]);
  });

  test('times that cannot be and hosts that are not there any more leave nothing', async () => {
    await send(
      { ...makeSample(1), at: now + 3_600_000 },
      { ...makeSample(2), at: now - KEEP_SAMPLES_MS - MINUTE },
      { ...makeSample(3), at: 0 },
    );
    await hub.pool.query('DELETE FROM hosts');
    expect(await send({ ...makeSample(4), at: now })).toEqual({ ok: true });
    expect(await rows()).toEqual([]);
  });
});

describe('means over minutes', () => {
  const start = () => Math.floor(now / MINUTE) * MINUTE - 3 * MINUTE;

  test('are of whole minutes, and made anew when a sample comes late', async () => {
    // The minute of a sample that is ahead is not over, whenever this runs.
    const sweep = makeTelemetrySweep(hub.pool);
    await send(
      { ...makeSample(10), at: start() },
      { ...makeSample(20), at: start() + 30_000 },
      { ...makeSample(70), at: now + 50_000 },
    );
    await sweep();
    const means = async () =>
      (await rows())
        .filter((row) => row.width_s === 60)
        .map(({ at, sample }) => [at.getTime(), sample.machine.cpuPercent, sample.count]);
    expect(await means()).toEqual([[start(), 15, 2]]);
    await send({ ...makeSample(60), at: start() + 45_000 });
    await sweep();
    await sweep();
    expect(await means()).toEqual([[start(), 30, 3]]);
  });

  test('are over the numbers that there are, by GPU and by trainer', () => {
    const trainer = (runId: string, rssBytes: number) => ({
      runId,
      attempt: 1,
      slot: 0,
      gpu: 0,
      cpuPercent: null,
      rssBytes,
    });
    const mean = meanSample([
      makeSample(null, { gpus: [gpu(10), gpu(null, 1)], trainers: [trainer('a', 10)] }),
      makeSample(40, { gpus: [gpu(30)], trainers: [trainer('a', 30), trainer('b', 7)] }),
    ]);
    expect(mean.machine.cpuPercent).toBe(40);
    expect(mean.gpus.map(({ index, utilisationPercent }) => [index, utilisationPercent])).toEqual([
      [0, 20],
      [1, null],
    ]);
    expect(mean.trainers.map(({ runId, rssBytes, cpuPercent }) => [runId, rssBytes, cpuPercent])).toEqual([
      ['a', 20, null],
      ['b', 7, null],
    ]);
  });

  test('what is too old goes, portion by portion, and a mean does not lose what it was made of', async () => {
    await hub.pool.query(
      `INSERT INTO host_samples SELECT $1, w, now() - age * interval '1 hour', '{}'
       FROM unnest(ARRAY[5, 60]) w, unnest(ARRAY[1, 25, 26, 27, 800]) age`,
      [hostId],
    );
    await deleteOlder(hub.pool, [5], KEEP_SAMPLES_MS, 2);
    expect((await rows()).map(({ width_s }) => width_s)).toEqual([5, 60, 60, 60, 60, 60]);
  });
});

describe('reading', () => {
  test('a quarter of an hour in places of 15 s; what was never measured has no column, a gap is null', async () => {
    const at = now - 5 * MINUTE;
    await send(
      { ...makeSample(10, { gpus: [gpu(50)] }), at },
      { ...makeSample(10, { gpus: [gpu(50)] }), at: at + 1_000 },
      { ...makeSample(40, { gpus: [gpu(90)] }), at: at + MINUTE },
    );
    const view = await readHostTelemetry(hub.pool, hostId, { range: '15m' });
    expect([view.binMs, Object.keys(view.machine)]).toEqual([15_000, ['cpuPercent']]);
    expect(view.at).toHaveLength(view.machine.cpuPercent!.length);
    expect(view.machine.cpuPercent!.filter((value) => value !== null)).toEqual(expect.arrayContaining([10, 40]));
    expect(view.machine.cpuPercent!.filter((value) => value === null).length).toBeGreaterThan(55);
    const place = view.at.indexOf(Math.floor((at + MINUTE) / 15_000) * 15_000);
    expect(view.machine.cpuPercent![place]).toBe(40);
    expect(
      view.gpus.map(({ index, name, columns }) => [index, name, columns.utilisationPercent?.[place], columns.powerW]),
    ).toEqual([[0, 'H100', 90, undefined]]);
    expect((await readHostTelemetry(hub.pool, hostId, { from: 0, to: 1_000_000 })).machine).toEqual({});
    await expect(readHostTelemetry(hub.pool, hub.ids('host'), { range: '1h' })).rejects.toThrow(/There is no host/);
  });

  test('months come from minutes, in few places', () => {
    for (const days of [1, 30, 365, 5_000]) {
      const bins = makeBins(now - days * 86_400_000, now, now);
      expect(bins.at.length, `${days} days`).toBeLessThanOrEqual(502);
      expect(bins.widths, `${days} days`).toEqual([60]);
      expect(bins.at.at(-1)).toBeLessThanOrEqual(now);
    }
    // An hour of last week: the samples themselves are gone.
    expect(makeBins(now - 7 * 86_400_000, now - 7 * 86_400_000 + 3_600_000, now).widths).toEqual([60]);
  });

  test('a run is its own trainer and the GPU of its slot, on the hosts and in the times of its attempts', async () => {
    await addStudy(hub);
    const grant = await claimOne(hub, hostId);
    const other = await addHost(hub, { name: 'other' });
    const trainer = { runId: grant.runId, attempt: 1, slot: 1, gpu: 1, cpuPercent: 150, rssBytes: 2e9 };
    const sample = makeSample(5, {
      gpus: [gpu(10), gpu(80, 1)],
      trainers: [{ ...trainer, runId: hub.ids('run'), gpu: 0, rssBytes: 1 }, trainer],
    });
    await send({ ...sample, at: now }, { ...makeSample(5), at: now - 1_000 });
    // A host that claims to train what it was not given.
    await storeSamples(hub, other, {
      widthS: 5,
      samples: [{ ...makeSample(5, { trainers: [{ ...trainer, rssBytes: 9e9 }] }), at: now }],
    });
    const view = await readRunTelemetry(hub.pool, grant.runId);
    const known = (column: (number | null)[] | undefined) => column?.filter((value) => value !== null);
    expect(known(view.trainer.rssBytes)).toEqual([2e9]);
    expect(known(view.trainer.cpuPercent)).toEqual([150]);
    expect([known(view.gpu.utilisationPercent), view.gpu.powerW]).toEqual([[80], undefined]);
    await expect(readRunTelemetry(hub.pool, hub.ids('run'))).rejects.toThrow(/There is no run/);
  });

  test('a run that no host has taken yet has nothing to show', async () => {
    await addStudy(hub);
    const { rows: runs } = await hub.pool.query<{ id: string }>('SELECT id FROM runs LIMIT 1');
    expect(await readRunTelemetry(hub.pool, runs[0]!.id)).toEqual({ binMs: 0, at: [], trainer: {}, gpu: {} });
  });
});

describe('the timeline', () => {
  test('has the attempts of the host that were under way in the window, in their slots, of too many the newest', async () => {
    await addStudy(hub);
    const { runId } = await claimOne(hub, hostId);
    await transact(hub, (tx) => noteSlots(tx, hostId, [{ runId, attempt: 1, slot: 1 }]));
    await transact(hub, (tx) =>
      finishAttempt(tx, runId, 1, {
        outcome: 'interrupted',
        failureCode: null,
        message: null,
        exitCode: null,
        signal: null,
      }),
    );
    await claimOne(hub, hostId);
    const view = await listHostAttempts(hub.pool, hostId, { range: '1h' });
    expect(
      view.attempts.map(({ attempt, slot, outcome, endedAt }) => [attempt, slot, outcome, endedAt === null]),
    ).toEqual([
      [1, 1, 'interrupted', false],
      [2, null, null, true],
    ]);
    expect(view.hasMore).toBe(false);
    const newest = await listHostAttempts(hub.pool, hostId, { range: '1h' }, 1);
    expect([newest.attempts.map(({ attempt }) => attempt), newest.hasMore]).toEqual([[2], true]);
    expect((await listHostAttempts(hub.pool, hostId, { from: 0, to: now - 3_600_000 })).attempts).toEqual([]);
  });

  test('a slot is filed for the attempt that owns the run, on its host, and for no other', async () => {
    await addStudy(hub);
    const { runId } = await claimOne(hub, hostId);
    const stranger = await addHost(hub, { name: 'stranger' });
    const slot = async () =>
      (await hub.pool.query<{ slot: number | null }>('SELECT slot FROM run_attempts')).rows[0]?.slot;
    await transact(hub, (tx) => noteSlots(tx, stranger, [{ runId, attempt: 1, slot: 7 }]));
    await transact(hub, (tx) => noteSlots(tx, hostId, [{ runId, attempt: 2, slot: 7 }]));
    await transact(hub, (tx) => noteSlots(tx, hostId, [{ runId, attempt: 1 }]));
    expect(await slot()).toBeNull();
    await transact(hub, (tx) => noteSlots(tx, hostId, [{ runId, attempt: 1, slot: 0 }]));
    expect(await slot()).toBe(0);
  });
});
