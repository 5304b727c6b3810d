/** How long a run still takes, from the pace of its present attempt. */
import type { RunDetailView } from '@mealtable/protocol/views';

/** @returns milliseconds, or null while nothing can be said */
export function estimateRemaining(
  run: Pick<RunDetailView, 'status' | 'stepsCompleted' | 'totalSteps' | 'attempts'>,
  now: number,
): number | null {
  if (run.status !== 'running' || !run.totalSteps) return null;
  const attempt = run.attempts.at(-1);
  if (!attempt || attempt.startedAt === null || attempt.endedAt !== null) return null;
  const steps = run.stepsCompleted - attempt.startStep;
  const elapsed = now - attempt.startedAt;
  if (steps <= 0 || elapsed <= 0) return null;
  return ((run.totalSteps - run.stepsCompleted) / steps) * elapsed;
}
