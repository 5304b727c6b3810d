'use client';
import { useQuery } from '@tanstack/react-query';
import { useTRPC } from '../../trpc-provider';

/** What every study form needs to know of the hub: its datasets and its possible teachers. */
export function useFormData() {
  const trpc = useTRPC();
  const datasets = useQuery(trpc.datasets.list.queryOptions());
  const teachers = useQuery(trpc.teachers.list.queryOptions({}));
  return {
    datasets: datasets.data,
    teachers: teachers.data,
    error: datasets.error ?? teachers.error,
    retry: () => {
      if (datasets.isError) void datasets.refetch();
      if (teachers.isError) void teachers.refetch();
    },
  };
}
