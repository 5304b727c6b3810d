'use client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';

/** Renewed by events; slowly besides, as silence of a host and the end of a rest have none. */
export function useLaunchers() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.launchers.list.queryOptions(undefined, { refetchInterval: 15_000 }));
  const refresh = useThrottle(() => void queryClient.invalidateQueries(trpc.launchers.list.queryFilter()), 500);
  useWatch({ kind: 'all' }, { onJoined: refresh });
  useLiveEvent('launcher:changed', refresh);
  useLiveEvent('hosts:changed', refresh);
  return query;
}
