import type { RunSummaryView } from '@mealtable/protocol/views';
import { formatCount } from '../format';
import { Progress } from '../ui/progress';
import { runProgress } from './run-progress';

const TONES = {
  queued: 'muted',
  claimed: 'accent',
  running: 'accent',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'muted',
} as const;

export function RunStepsBar({
  run,
  className,
}: {
  run: Pick<RunSummaryView, 'status' | 'stepsCompleted' | 'totalSteps'>;
  className?: string;
}) {
  const steps = run.totalSteps
    ? `${formatCount(run.stepsCompleted)} of ${formatCount(run.totalSteps)} steps`
    : 'not started';
  return (
    <Progress value={runProgress(run)} tone={TONES[run.status]} label={`Progress: ${steps}`} className={className} />
  );
}
