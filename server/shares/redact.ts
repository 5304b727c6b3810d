/**
 * What visitors of a share link are not shown: names of people and hosts, and texts that can hold any of them (output of trainers,
 * reasons of failures, labels of hosts), and runs of other studies.
 */
import type { EventView } from '@mealtable/protocol/events';
import type { LiveRecord } from '@mealtable/protocol/live-messages';
import type { StudyOverview } from '@mealtable/protocol/study-page';
import type { RunSummaryView } from '@mealtable/protocol/views';

export const redactRun = (run: RunSummaryView): RunSummaryView => ({
  ...run,
  pausedBy: '',
  requiredLabels: [],
  failureMessage: null,
  hostId: null,
  hostName: null,
  waitingFor: [],
});

export const redactOverview = (study: StudyOverview): StudyOverview => ({ ...study, createdBy: '', runNames: {} });

/** @returns null for an event that is not theirs to know */
export function redactEvent(event: EventView): EventView | null {
  const shown = { ...event, hostId: null };
  if ('by' in shown) shown.by = null;
  switch (shown.kind) {
    case 'run-failed':
      return { ...shown, message: null };
    case 'study-created':
    case 'runs-added':
    case 'run-succeeded':
    case 'dependents-failed':
    case 'runs-cancelled':
    case 'cancel-requested':
    case 'run-retried':
    case 'runs-paused':
    case 'runs-resumed':
    case 'epochs-extended':
    case 'study-finished':
      return shown;
    case 'host-lost':
    case 'host-attached':
    case 'host-detached':
    case 'study-shared':
    case 'share-revoked':
    case 'test':
      return null;
  }
}

/** Points alone: log lines and checkpoints' files are for members. */
export const redactRecords = (records: readonly LiveRecord[]): LiveRecord[] =>
  records.filter((record) => record.kind === 'metrics');
