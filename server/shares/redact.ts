/**
 * What visitors of a share link are not shown: names of people and hosts, and texts that can hold any of them (output of trainers,
 * reasons of failures, labels of hosts), and runs of other studies.
 */
import type { EventKind, EventView } from '@mealtable/protocol/events';
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

/** What happened to the study and its runs. Hosts, and who else has a link, are not theirs to know. */
export const SHARED_KINDS = [
  'study-created',
  'runs-added',
  'run-succeeded',
  'run-failed',
  'dependents-failed',
  'runs-cancelled',
  'cancel-requested',
  'run-retried',
  'runs-paused',
  'runs-resumed',
  'epochs-extended',
  'study-finished',
] as const satisfies readonly EventKind[];

/** @returns null for an event that is not theirs to know */
export function redactEvent(event: EventView): EventView | null {
  if (!(SHARED_KINDS as readonly EventKind[]).includes(event.kind)) return null;
  const shown = { ...event, hostId: null };
  if ('by' in shown) shown.by = null;
  return shown.kind === 'run-failed' ? { ...shown, message: null } : shown;
}

/** Points alone: log lines and checkpoints' files are for members. */
export const redactRecords = (records: readonly LiveRecord[]): LiveRecord[] =>
  records.filter((record) => record.kind === 'metrics');
