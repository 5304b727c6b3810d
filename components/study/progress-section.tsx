'use client';
import { Timer } from 'lucide-react';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { Skeleton } from '../ui/skeleton';
import { StatusCountsBar, StatusCountsText } from '../ui/status-counts';
import { timeLeftWords } from './time-left-words';
import { useStudyProgress } from './use-study';

/** Runs by status, and how long it still takes. */
export function ProgressSection({ id, maxConcurrent }: { id: string; maxConcurrent: number | null }) {
  const { data, isError, error, refetch } = useStudyProgress(id);
  if (isError && !data)
    return (
      <Section title="Progress">
        <ErrorState what="The progress" error={error} onRetry={() => void refetch()} />
      </Section>
    );
  const words = data && timeLeftWords(data.left);
  return (
    <Section title="Progress">
      <div className="rounded-panel border bg-surface px-4 py-3.5">
        {data && words ? (
          <>
            <div className="mb-2.5 flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
              <StatusCountsText counts={data.counts} />
              <p className="inline-flex items-center gap-1.5 font-medium text-sm">
                {data.left.kind !== 'done' && <Timer aria-hidden className="size-4 text-ink-3" />}
                <span className="num">{words.figure}</span>
              </p>
            </div>
            <StatusCountsBar counts={data.counts} className="h-2" />
            <p className="mt-2 text-ink-3 text-xs">
              {[
                words.how,
                data.paused > 0 && data.paused < data.counts.queued && `${data.paused} of the queued runs are paused.`,
                maxConcurrent !== null && `At most ${maxConcurrent} at once, as set for this study.`,
              ]
                .filter(Boolean)
                .join(' ')}
            </p>
          </>
        ) : (
          <Skeleton className="h-14" />
        )}
      </div>
    </Section>
  );
}
