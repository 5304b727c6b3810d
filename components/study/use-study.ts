'use client';
import type { RunSummaryView, StudyView } from '@mealtable/protocol/views';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';

/** What the table of means is made of: when it changes, the hub reckons the rows anew. */
const countsInTable = (before: RunSummaryView | undefined, after: RunSummaryView): boolean =>
  !before || before.status !== after.status || before.bestTop1 !== after.bestTop1;

/** A study's view: its runs follow the live events at once, the table of means shortly after. */
export function useStudy(id: string) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.studies.get.queryOptions({ id }));
  const queryKey = trpc.studies.get.queryKey({ id });
  const refresh = useThrottle(() => void queryClient.invalidateQueries({ queryKey }), 1_000);
  useWatch({ kind: 'study', studyId: id }, { onJoined: refresh });
  useLiveEvent('study:changed', (event) => event.studyId === id && refresh());
  useLiveEvent('run:changed', (run) => {
    if (run.studyId !== id) return;
    const before = queryClient.getQueryData<StudyView>(queryKey)?.runs.find((known) => known.id === run.id);
    queryClient.setQueryData<StudyView>(
      queryKey,
      (old) => old && { ...old, runs: old.runs.map((known) => (known.id === run.id ? run : known)) },
    );
    if (countsInTable(before, run)) refresh();
  });
  return query;
}
