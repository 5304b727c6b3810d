'use client';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { SkeletonRows } from '../ui/skeleton';
import { EventRow } from './event-row';

const PAGE = 8;

/** What happened to a study, newest first. */
export function ActivitySection({ studyId }: { studyId: string }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useInfiniteQuery(
    trpc.events.ofStudy.infiniteQueryOptions(
      { id: studyId, limit: PAGE },
      { getNextPageParam: (page) => (page.hasOlder ? page.events.at(-1)?.id : null) },
    ),
  );
  const refresh = useThrottle(() => void queryClient.invalidateQueries(trpc.events.ofStudy.pathFilter()), 1_000);
  useWatch({ kind: 'study', studyId }, { onJoined: refresh });
  useLiveEvent('event:noted', (event) => event.studyId === studyId && refresh());
  const events = query.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <Section title="Activity">
      {query.isPending && <SkeletonRows rows={3} label="the activity" />}
      {query.isError && <ErrorState what="The activity" error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && events.length === 0 && (
        <p className="text-ink-3 text-sm">Nothing has happened since events are written down.</p>
      )}
      {events.length > 0 && (
        <ol className="rounded-panel border bg-surface p-1.5">
          {events.map((event) => (
            <EventRow key={event.id} event={event} here={`/studies/${studyId}`} />
          ))}
        </ol>
      )}
      {query.hasNextPage && (
        <Button
          variant="ghost"
          size="sm"
          className="mt-2"
          busy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </Section>
  );
}
