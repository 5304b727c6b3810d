'use client';
import type { QueueItem } from '@mealtable/protocol/views';
import { keepPreviousData, useQueries, useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';

export const PAGE_SIZE = 100;
/** Free slots and hosts that fall silent are announced by no event. */
const RENEW_MS = 5_000;

/** The pages of the queue that hold these rows; rows of pages that are on their way are undefined. */
export function useQueue(indices: readonly number[]) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const pages = [...new Set([0, ...indices.map((index) => Math.floor(index / PAGE_SIZE))])];
  const queries = useQueries({
    queries: pages.map((page) =>
      trpc.runs.queue.queryOptions(
        { offset: page * PAGE_SIZE, limit: PAGE_SIZE },
        { refetchInterval: RENEW_MS, placeholderData: keepPreviousData },
      ),
    ),
  });
  const refresh = useThrottle(() => void queryClient.invalidateQueries(trpc.runs.queue.queryFilter()), 1_500);
  useWatch({ kind: 'all' }, { onJoined: refresh });
  useLiveEvent('hosts:changed', refresh);
  useLiveEvent('study:changed', refresh);
  useLiveEvent('run:changed', (run) => {
    // Steps and checkpoints change no place in the queue.
    if (run.status !== 'running') refresh();
  });
  const byPage = new Map(pages.map((page, i) => [page, queries[i]]));
  const first = byPage.get(0);
  return {
    total: first?.data?.total,
    paused: first?.data?.paused ?? 0,
    error: first?.data ? null : (first?.error ?? null),
    retry: () => void first?.refetch(),
    itemAt: (index: number): QueueItem | undefined =>
      byPage.get(Math.floor(index / PAGE_SIZE))?.data?.items[index % PAGE_SIZE],
  };
}
