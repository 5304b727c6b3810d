'use client';
import { useQuery } from '@tanstack/react-query';
import { useTRPC } from '../trpc-provider';

/** What a study's page begins with. Kept up to date by `useStudyEvents`, as are the others. */
export function useStudyOverview(id: string) {
  const trpc = useTRPC();
  return useQuery(trpc.studies.overview.queryOptions({ id }));
}

/** Its runs by status, and the time that is left, which passes without events, too. */
export function useStudyProgress(id: string) {
  const trpc = useTRPC();
  return useQuery(trpc.studies.progress.queryOptions({ id }, { refetchInterval: 30_000 }));
}

/** Its rows, and what curves need of its runs. */
export function useStudyTable(id: string) {
  const trpc = useTRPC();
  return useQuery(trpc.studies.table.queryOptions({ id }));
}
