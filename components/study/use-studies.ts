'use client';
import { isEnded } from '@mealtable/protocol/statuses';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';

/** The list of studies, read again soon after anything in it changed. */
export function useStudies() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.studies.list.queryOptions(undefined, { refetchInterval: 15_000 }));
  const refresh = useThrottle(() => void queryClient.invalidateQueries(trpc.studies.list.queryFilter()), 1_500);
  useWatch({ kind: 'all' }, { onJoined: refresh });
  useLiveEvent('study:changed', refresh);
  useLiveEvent('run:changed', (run) => {
    // A step more or less does not show in the list.
    if (isEnded(run.status) || run.status === 'claimed') refresh();
  });
  return query;
}
