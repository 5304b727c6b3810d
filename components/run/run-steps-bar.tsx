import type { RunSummaryView } from '@mealtable/protocol/views';
import { formatCount } from '../format';
import { Progress } from '../ui/progress';

/** 0 to 1, or null before the first attempt has told how many steps there are. */
export function runProgress(run: Pick<RunSummaryView, 'status' | 'stepsCompleted' | 'totalSteps'>): number | null {
  if (run.status === 'succeeded') return 1;
  return run.totalSteps ? Math.min(1, run.stepsCompleted / run.totalSteps) : null;
}

const TONES = {
  queued: 'muted',
  claimed: 'accent',
  running: 'accent',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'muted',
} as const;

export function RunStepsBar({ run, className }: { run: RunSummaryView; className?: string }) {
  const steps = run.totalSteps
    ? `${formatCount(run.stepsCompleted)} of ${formatCount(run.totalSteps)} steps`
    : 'not started';
  return (
    <Progress value={runProgress(run)} tone={TONES[run.status]} label={`Progress: ${steps}`} className={className} />
  );
}
