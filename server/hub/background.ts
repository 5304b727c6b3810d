/**
 * What the hub does by itself while it runs: leases, silent hosts, files that nobody refers to any more, old events,
 * telemetry, webhooks, and the layout of stored metrics.
 */
import { EVENT_SWEEP_MS, LEASE_MS, LEASE_SWEEP_MS, TELEMETRY_SWEEP_MS } from '@mealtable/protocol/tunables';
import { sweepBlobs } from '../checkpoints/blob-rows.ts';
import { defaultRule } from '../checkpoints/retention.ts';
import { pruneEndedRuns } from '../checkpoints/retention-preview.ts';
import type { Hub } from '../context.ts';
import { pruneEvents } from '../events/prune-events.ts';
import { forgetUnusedExports } from '../exports/export-rows.ts';
import { describeHostStates } from '../hosts/host-rows.ts';
import { startTending } from '../metrics/compact/tend.ts';
import { expireLeases, renewAllLeases } from '../runs/lifecycle-lease.ts';
import { transact } from '../runs/transaction.ts';
import { makeTelemetrySweep } from '../telemetry/sweep.ts';
import { startDelivering } from '../webhooks/deliver.ts';

/** How often unreferenced files are looked for. */
const BLOB_SWEEP_MS = 300_000;

export interface Background {
  /** Waits for what is under way. */
  stop(): Promise<void>;
}

/** Call before the first request is served: it also makes the blob store ready and renews the leases. */
export async function startBackground(hub: Hub, leaseSweepMs: number = LEASE_SWEEP_MS): Promise<Background> {
  await hub.blobs.prepare();
  await hub.uploads.files.prepare();
  await transact(hub, renewAllLeases);
  let hostStates = await describeHostStates(hub.pool);
  let sweptAt = hub.now().getTime();
  const tasks = [
    repeat('The search for lost attempts', leaseSweepMs, async () => {
      const silentMs = hub.now().getTime() - sweptAt;
      // The database was away, or the machine asleep: no heartbeat could be noted, and silence proves nothing.
      if (silentMs > LEASE_MS / 2) await transact(hub, renewAllLeases);
      else await transact(hub, expireLeases);
      sweptAt = hub.now().getTime();
      const now = await describeHostStates(hub.pool);
      if (now !== hostStates) hub.bus.emit('hosts:changed');
      hostStates = now;
    }),
    repeat('The sweep of the blob store', BLOB_SWEEP_MS, async () => {
      await pruneEndedRuns(hub, defaultRule(hub.env.keptCheckpoints));
      await forgetUnusedExports(hub.pool);
      await sweepBlobs(hub);
    }),
    repeat('The sweep of uploads', BLOB_SWEEP_MS, () => hub.uploads.sweep()),
    repeat('The sweep of telemetry', TELEMETRY_SWEEP_MS, makeTelemetrySweep(hub.pool)),
    repeat('The sweep of old events', EVENT_SWEEP_MS, () => pruneEvents(hub.pool)),
  ];
  const stopDelivering = startDelivering(hub);
  const stopTending = await startTending(hub);
  return {
    async stop() {
      await Promise.all([...tasks.map((task) => task.stop()), stopDelivering(), stopTending()]);
    },
  };
}

/** Runs `work` again and again with `everyMs` between. A failure is told and the next round tries again. */
function repeat(name: string, everyMs: number, work: () => Promise<unknown>): Background {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  const next = () => {
    timer = setTimeout(() => {
      running = work()
        .catch((error: unknown) => console.error(`${name} failed; it is tried again soon:`, error))
        .finally(() => {
          if (!stopped) next();
        });
    }, everyMs);
  };
  next();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
