'use client';
import type { RunDetailView } from '@mealtable/protocol/views';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';

/** A run's view: its summary follows the live events at once, the details are read again shortly after. */
export function useRun(id: string) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.runs.get.queryOptions({ id }));
  const queryKey = trpc.runs.get.queryKey({ id });
  const refresh = useThrottle(() => void queryClient.invalidateQueries({ queryKey }), 1_500);
  useWatch({ kind: 'run', runId: id }, { onJoined: refresh });
  useLiveEvent('run:changed', (summary) => {
    if (summary.id !== id) return;
    const before = queryClient.getQueryData<RunDetailView>(queryKey);
    queryClient.setQueryData<RunDetailView>(queryKey, (old) => old && { ...old, ...summary });
    // Progress is all in the summary; attempts and checkpoints change with these.
    if (before && (before.status !== summary.status || before.attempt !== summary.attempt)) refresh();
  });
  useLiveEvent('run:records', (event) => {
    if (event.runId === id && event.records.some((record) => record.kind === 'checkpoint')) refresh();
  });
  // The last lines of what a failed trainer printed may come after its end.
  useLiveEvent('run:output', (event) => {
    if (event.runId === id && query.data?.status === 'failed') refresh();
  });
  return query;
}
