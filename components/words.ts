/** What statuses and failures are called on the page. */
import {
  type AttemptOutcome,
  type FailureCode,
  isActive,
  isEnded,
  type RunRole,
  type RunStatus,
  type UserRole,
} from '@mealtable/protocol/statuses';
import type { RunSummaryView } from '@mealtable/protocol/views';

/** A run's status as a person sees it: three of them are not statuses but wishes on a status. */
export type ShownStatus = RunStatus | 'paused' | 'pausing' | 'cancelling';

export function shownStatus(
  run: Pick<RunSummaryView, 'status' | 'heldAt' | 'cancelRequestedAt' | 'pauseRequestedAt'>,
): ShownStatus {
  if (run.cancelRequestedAt !== null && !isEnded(run.status)) return 'cancelling';
  if (run.pauseRequestedAt !== null && isActive(run.status)) return 'pausing';
  if (run.heldAt !== null && run.status === 'queued') return 'paused';
  return run.status;
}

export const STATUS_WORDS: Record<ShownStatus, string> = {
  queued: 'Queued',
  claimed: 'Starting',
  running: 'Running',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
  paused: 'Paused',
  pausing: 'Pausing',
  cancelling: 'Cancelling',
};

export const STATUS_EXPLANATIONS: Record<ShownStatus, string> = {
  queued: 'Waits for a free slot on a host that has the dataset.',
  claimed: 'A host has taken the run and starts its trainer.',
  running: 'A trainer works on it.',
  succeeded: 'It did all that it should.',
  failed: 'It ended with a failure that another attempt does not cure.',
  cancelled: 'Somebody cancelled it.',
  paused: 'Held back until it is resumed.',
  pausing: 'The host has been asked to save a checkpoint and to free the slot.',
  cancelling: 'The host has been asked to stop the trainer.',
};

export const FAILURE_WORDS: Record<FailureCode, string> = {
  trainer_error: 'The trainer stopped with an error',
  trainer_killed: 'The trainer was killed',
  stalled: 'The trainer stopped making steps',
  host_lost: 'The host went silent',
  diverged: 'The loss became infinite or not a number',
  dataset_invalid: 'The dataset cannot be used',
  weights_missing: 'Weights are missing',
  disk_full: 'The disk is full',
  out_of_memory: 'A batch does not fit into memory',
  dependency_failed: 'A run that this one needs did not succeed',
  attempts_exhausted: 'All attempts are used up',
};

export const FAILURE_ADVICE: Record<FailureCode, string> = {
  trainer_error: 'The last lines of its output are below.',
  trainer_killed:
    'A signal that Mealtable did not send ended it, most often because memory ran out. Try a smaller batch.',
  stalled: 'No step was made for ten minutes. Look at the host: a stuck disk or driver is the usual cause.',
  host_lost: 'Check that the host runs and reaches the hub; retry when it is back.',
  diverged: 'Lower the learning rate, or add warm-up epochs.',
  dataset_invalid: 'Compare the dataset folder on the host with the message.',
  weights_missing: 'The message says which weights, where they were looked for, and what to do. Then retry.',
  disk_full: 'Free space on the host, then retry.',
  out_of_memory: 'Clone the study with the batch size that the message names, or use a host with more memory.',
  dependency_failed: 'Retry that run first, then this one.',
  attempts_exhausted: 'The attempts tab shows how each one ended. A retry grants new ones.',
};

export const OUTCOME_WORDS: Record<AttemptOutcome, string> = {
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
  interrupted: 'Interrupted, goes on in another attempt',
  lost: 'Lost with its host',
  refused: 'Refused: the host cannot carry it out',
};

/** Priorities as people choose them; any number between is possible through the API. */
export const PRIORITIES = [
  { value: 2, word: 'Urgent' },
  { value: 1, word: 'High' },
  { value: 0, word: 'Normal' },
  { value: -1, word: 'Low' },
] as const;
export const priorityWord = (priority: number): string =>
  PRIORITIES.find(({ value }) => value === priority)?.word ?? String(priority);

export const ROLE_HEADINGS: Record<RunRole, string> = {
  teacher: 'Teachers',
  baseline: 'Student alone',
  student: 'Distilled',
  evaluation: 'Evaluations',
  labelling: 'Labels',
};

export const USER_ROLE_WORDS: Record<UserRole, { name: string; may: string }> = {
  owner: { name: 'Owner', may: 'Everything, including members and hosts.' },
  editor: { name: 'Editor', may: 'Create studies, start, pause, cancel and retry runs, attach and drain hosts.' },
  viewer: { name: 'Viewer', may: 'Look at everything and download checkpoints.' },
};
