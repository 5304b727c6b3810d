import type { RunSummaryView } from '@mealtable/protocol/views';

/** 0 to 1, or null before the first attempt has told how many steps there are. */
export function runProgress(run: Pick<RunSummaryView, 'status' | 'stepsCompleted' | 'totalSteps'>): number | null {
  if (run.status === 'succeeded') return 1;
  return run.totalSteps ? Math.min(1, run.stepsCompleted / run.totalSteps) : null;
}
