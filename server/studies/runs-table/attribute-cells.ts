/** What each attribute of a run is. */

import type { RunCell } from '@mealtable/protocol/run-query-view';
import { isActive, isEnded } from '@mealtable/protocol/statuses';
import type { RunSummaryView } from '@mealtable/protocol/views';
import type { IndexedRun } from './load-runs.ts';

/** Wishes on a status stand in its place, as on the page. */
function shownStatus(run: RunSummaryView): string {
  if (run.cancelRequestedAt !== null && !isEnded(run.status)) return 'cancelling';
  if (run.pauseRequestedAt !== null && isActive(run.status)) return 'pausing';
  return run.heldAt !== null && run.status === 'queued' ? 'paused' : run.status;
}

/** Between 0 and 1; null before the number of steps is known. */
function progressOf({ status, stepsCompleted, totalSteps }: RunSummaryView): number | null {
  if (status === 'succeeded') return 1;
  return totalSteps === null || totalSteps === 0 ? null : Math.min(1, stepsCompleted / totalSteps);
}

const orNull = (text: string | null): string | null => text || null;

/** By name. @param now what is under way lasts until then */
export const ATTRIBUTE_CELLS: Readonly<Record<string, (run: IndexedRun, now: number) => RunCell>> = {
  status: ({ summary }) => shownStatus(summary),
  variant: ({ summary }) => summary.variantLabel,
  seed: ({ summary }) => summary.seed,
  progress: ({ summary }) => {
    const share = progressOf(summary);
    return share === null ? null : share * 100;
  },
  top1: ({ summary }) => summary.bestTop1,
  bestEpoch: ({ summary }) => summary.bestEpoch,
  lastTop1: ({ summary }) => summary.lastTop1,
  epoch: ({ summary }) => Math.floor((progressOf(summary) ?? 0) * summary.epochs + 1e-6),
  epochs: ({ summary }) => summary.epochs,
  host: ({ summary }) => orNull(summary.hostName),
  duration: ({ summary: { startedAt, finishedAt } }, now) =>
    startedAt === null ? null : Math.max(0, (finishedAt ?? now) - startedAt),
  created: ({ summary }) => summary.createdAt,
  started: ({ summary }) => summary.startedAt,
  finished: ({ summary }) => summary.finishedAt,
  role: ({ summary }) => summary.role,
  network: ({ summary }) => summary.network,
  dataset: ({ dataset }) => dataset,
  parameters: ({ parameters }) => parameters,
  steps: ({ summary }) => summary.stepsCompleted,
  totalSteps: ({ summary }) => summary.totalSteps,
  priority: ({ summary }) => summary.priority,
  attempt: ({ summary }) => summary.attempt,
  failure: ({ summary }) => summary.failureCode,
  failureMessage: ({ summary }) => orNull(summary.failureMessage),
  labels: ({ summary }) => (summary.requiredLabels.length > 0 ? summary.requiredLabels : null),
  pausedBy: ({ summary }) => orNull(summary.pausedBy),
  id: ({ summary }) => summary.id,
};

/** The only one that changes while nothing happens. */
export const CLOCKED_FIELD = 'duration';
