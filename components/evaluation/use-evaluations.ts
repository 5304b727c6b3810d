'use client';
import type { EvaluationView } from '@mealtable/protocol/views';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';

/** All evaluations; their progress follows the live events, results are read when a run has changed its status. */
export function useEvaluations() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.evaluations.list.queryOptions(undefined, { refetchInterval: 15_000 }));
  const queryKey = trpc.evaluations.list.queryKey();
  const refresh = useThrottle(() => void queryClient.invalidateQueries({ queryKey }), 1_000);
  useWatch({ kind: 'all' }, { onJoined: refresh });
  useLiveEvent('study:changed', refresh);
  useLiveEvent('run:changed', (run) => {
    if (run.role !== 'evaluation') return;
    const before = queryClient.getQueryData<EvaluationView[]>(queryKey)?.find((known) => known.run.id === run.id);
    queryClient.setQueryData<EvaluationView[]>(queryKey, (old) =>
      old?.map((known) => (known.run.id === run.id ? { ...known, run } : known)),
    );
    if (before?.run.status !== run.status) refresh();
  });
  return query;
}
