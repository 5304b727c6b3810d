'use client';
import type { StudyTable } from '@mealtable/protocol/study-page';
import type { RunSummaryView, Top1Value } from '@mealtable/protocol/views';
import { useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';

/** What the table of means is made of: when it changes, the hub reckons the rows anew. */
const countsInTable = (before: Top1Value | undefined, after: RunSummaryView): boolean =>
  !before || before.status !== after.status || before.top1 !== after.bestTop1;

/** A run's changes come many times a second in a large study; what is reckoned over all of them may lag by this. */
const PROGRESS_EVERY_MS = 3_000;

/**
 * Keeps what a study's page has read up to date, once for the whole page: its runs follow the live events at once, what is reckoned
 * over them shortly after.
 */
export function useStudyEvents(id: string): void {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const queryKey = trpc.studies.table.queryKey({ id });
  const refreshAll = useThrottle(() => {
    void queryClient.invalidateQueries(trpc.studies.overview.queryFilter({ id }));
    void queryClient.invalidateQueries({ queryKey });
  }, 1_000);
  const refreshProgress = useThrottle(
    () => void queryClient.invalidateQueries(trpc.studies.progress.queryFilter({ id })),
    PROGRESS_EVERY_MS,
  );
  const refreshTable = useThrottle(() => void queryClient.invalidateQueries({ queryKey }), 1_000);
  const onStudy = () => {
    refreshAll();
    refreshProgress();
  };
  useWatch({ kind: 'study', studyId: id }, { onJoined: onStudy });
  useLiveEvent('study:changed', (event) => event.studyId === id && onStudy());
  useLiveEvent('run:changed', (run) => {
    if (run.studyId !== id) return;
    refreshProgress();
    const table = queryClient.getQueryData<StudyTable>(queryKey);
    if (!table) return;
    const known = table.runs.find(({ id: runId }) => runId === run.id);
    // A step more or less changes nothing of what is drawn here.
    if (known && (known.status !== run.status || known.startedAt !== run.startedAt)) {
      const now = { ...known, status: run.status, startedAt: run.startedAt };
      const runs = table.runs.map((one) => (one === known ? now : one));
      queryClient.setQueryData<StudyTable>(queryKey, { ...table, runs });
    }
    const value = table.rows.find((row) => row.variantId === run.variantId)?.values.find((one) => one.runId === run.id);
    if (countsInTable(value, run)) refreshTable();
  });
}
