'use client';
import { RUN_STATUSES, type RunStatus } from '@mealtable/protocol/statuses';
import { plural } from '../format';
import { STATUS_WORDS } from '../words';
import { cn } from './cn';
import { Tip } from './tooltip';

export type StatusCounts = Record<RunStatus, number>;

/** From done to not begun, as a progress bar fills. */
const ORDER: readonly RunStatus[] = ['succeeded', 'running', 'claimed', 'failed', 'cancelled', 'queued'];
const FILLS: Record<RunStatus, string> = {
  succeeded: 'bg-fill-good',
  running: 'bg-accent',
  claimed: 'bg-accent/60',
  failed: 'bg-fill-bad',
  cancelled: 'bg-fill-muted',
  queued: 'bg-transparent',
};

export const countStatuses = (runs: readonly { status: RunStatus }[]): StatusCounts => {
  const counts = Object.fromEntries(RUN_STATUSES.map((status) => [status, 0])) as StatusCounts;
  for (const run of runs) counts[run.status]++;
  return counts;
};

export function describeCounts(counts: StatusCounts): string {
  const parts = ORDER.filter((status) => counts[status] > 0);
  return parts.map((status) => `${counts[status]} ${STATUS_WORDS[status].toLowerCase()}`).join(', ') || 'no runs';
}

/** Runs by status as one bar; the words are its label and its tooltip. */
export function StatusCountsBar({ counts, className }: { counts: StatusCounts; className?: string }) {
  const total = ORDER.reduce((sum, status) => sum + counts[status], 0);
  const ended = counts.succeeded + counts.failed + counts.cancelled;
  return (
    <Tip text={describeCounts(counts)}>
      <div
        role="progressbar"
        aria-label={`${ended} of ${plural(total, 'run')} ended: ${describeCounts(counts)}`}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={ended}
        className={cn('flex h-1.5 w-full gap-px overflow-hidden rounded-full bg-line', className)}
      >
        {ORDER.map((status) =>
          counts[status] > 0 ? (
            <div
              key={status}
              className={cn('transition-[width]', FILLS[status])}
              style={{ width: `${(100 * counts[status]) / total}%` }}
            />
          ) : null,
        )}
      </div>
    </Tip>
  );
}

/** The same in words, for headers. */
export function StatusCountsText({ counts }: { counts: StatusCounts }) {
  const shown = ORDER.filter((status) => counts[status] > 0);
  return (
    <ul className="flex flex-wrap items-center gap-x-4 gap-y-1 text-ink-2 text-sm">
      {shown.map((status) => (
        <li key={status} className="inline-flex items-center gap-1.5">
          <span
            aria-hidden
            className={cn('size-2 rounded-full', status === 'queued' ? 'ring-1 ring-ink-3 ring-inset' : FILLS[status])}
          />
          <span className="num text-ink">{counts[status]}</span> {STATUS_WORDS[status].toLowerCase()}
        </li>
      ))}
    </ul>
  );
}
