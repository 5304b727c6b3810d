import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Hub } from '../../server/context.ts';
import { startBackground } from '../../server/hub/background.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { addHost, addStudy, type Core, createCore, statusOf, until } from '../support/core.ts';

let core: Core;
let hub: Hub;
beforeAll(async () => {
  core = await createCore();
  hub = core.hub as Hub;
});
afterAll(() => core.close());
beforeEach(() => core.reset());

const SWEEP_MS = 20;
const lapse = () => hub.pool.query("UPDATE runs SET lease_expires_at = now() - interval '1 second'");

test('P7: what was lost while nobody looked gets a full lease first, and is swept when that runs out as well', async () => {
  const hostId = await addHost(hub);
  await addStudy(hub);
  const [grant] = await claimRuns(hub, hostId, 1);
  await lapse();
  const background = await startBackground(hub, SWEEP_MS);
  try {
    const { rows } = await hub.pool.query('SELECT lease_expires_at > now() AS held FROM runs WHERE id = $1', [
      grant!.runId,
    ]);
    expect(rows[0]).toEqual({ held: true });
    await lapse();
    await until(async () => expect(await statusOf(hub, grant!.runId)).toBe('queued'));
  } finally {
    await background.stop();
  }
});

test('P7: while the hub itself could hear nobody, no attempt is lost: all get a full lease before the next is', async () => {
  const hostId = await addHost(hub);
  await addStudy(hub);
  const [grant] = await claimRuns(hub, hostId, 1);
  let clock = Date.now();
  const background = await startBackground({ ...hub, now: () => new Date(clock) }, SWEEP_MS);
  // All in one moment, as for a machine that wakes up.
  const lapsed = lapse();
  clock += 3_600_000;
  await lapsed;
  try {
    await until(async () => {
      const { rows } = await hub.pool.query('SELECT lease_expires_at > now() AS held FROM runs WHERE id = $1', [
        grant!.runId,
      ]);
      expect(rows[0]).toEqual({ held: true });
    });
    expect(await statusOf(hub, grant!.runId)).toBe('claimed');
    await lapse();
    await until(async () => expect(await statusOf(hub, grant!.runId)).toBe('queued'));
  } finally {
    await background.stop();
  }
});

test('P7: a host that falls silent is told to the pages, though nothing happened', async () => {
  await addHost(hub);
  const told = vi.fn();
  hub.bus.on('hosts:changed', told);
  const background = await startBackground(hub, SWEEP_MS);
  try {
    await hub.pool.query("UPDATE hosts SET last_seen_at = now() - interval '1 hour'");
    await until(() => expect(told).toHaveBeenCalledTimes(1));
  } finally {
    await background.stop();
  }
});

test('half-arrived files of the last hub are deleted', async () => {
  const temp = path.join(hub.blobsDir, 'tmp');
  await writeFile(path.join(temp, 'half'), 'x');
  await (await startBackground(hub, SWEEP_MS)).stop();
  expect(await readdir(temp)).toEqual([]);
});

test('a failing round is told and the next one tries again; stopping waits for the one under way', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  const background = await startBackground(hub, SWEEP_MS);
  await hub.pool.query('ALTER TABLE hosts RENAME TO hosts_away');
  try {
    await until(() => expect(log.mock.calls.length).toBeGreaterThan(1));
    expect(log.mock.calls[0]?.[0]).toBe('The search for lost attempts failed; it is tried again soon:');
  } finally {
    await hub.pool.query('ALTER TABLE hosts_away RENAME TO hosts');
    await background.stop();
    log.mockRestore();
  }
  expect(hub.pool.idleCount).toBe(hub.pool.totalCount);
});
