/** Publishing runs on the bus: one query at a time, whatever changes meanwhile shares the next one. */
import { RUN_PROGRESS_MS } from '@mealtable/protocol/tunables';
import type { Hub } from '../context.ts';
import { loadRunSummaries } from './summary.ts';

type PublishingHub = Pick<Hub, 'pool' | 'bus'>;

/** Runs waiting to be published, per hub; the entry exists while its query is under way. */
const waiting = new WeakMap<Hub['bus'], Set<string>>();

/** Puts `run:changed` on the bus soon, once per run however often it is asked for. Never throws. */
export function publishRuns(hub: PublishingHub, runIds: Iterable<string>): void {
  const queue = waiting.get(hub.bus);
  if (queue) {
    for (const id of runIds) queue.add(id);
    return;
  }
  const ids = new Set(runIds);
  if (ids.size === 0) return;
  waiting.set(hub.bus, new Set());
  void publishNow(hub, ids).finally(() => {
    const next = waiting.get(hub.bus) ?? [];
    waiting.delete(hub.bus);
    publishRuns(hub, next);
  });
}

/** Runs that have come further since progress was last published, per hub; the entry exists until it may be published again. */
const progressed = new WeakMap<Hub['bus'], Set<string>>();

/** As `publishRuns`, for what changes all the time: at once, and then no more often than every RUN_PROGRESS_MS. */
export function publishProgress(hub: PublishingHub, runIds: ReadonlySet<string>): void {
  if (runIds.size === 0) return;
  const queue = progressed.get(hub.bus);
  if (queue) {
    for (const id of runIds) queue.add(id);
    return;
  }
  progressed.set(hub.bus, new Set());
  publishRuns(hub, runIds);
  const timer = setTimeout(() => {
    const next = progressed.get(hub.bus) ?? new Set();
    progressed.delete(hub.bus);
    publishProgress(hub, next);
  }, RUN_PROGRESS_MS);
  // A hub that ends does not wait for it.
  timer.unref();
}

async function publishNow(hub: PublishingHub, ids: Set<string>): Promise<void> {
  let summaries: Awaited<ReturnType<typeof loadRunSummaries>>;
  try {
    summaries = await loadRunSummaries(hub.pool, { runIds: [...ids] });
  } catch {
    // The database went away after the commit. A lost event costs a page one reload; what was stored stays stored.
    return;
  }
  for (const summary of summaries) hub.bus.emit('run:changed', summary);
}
