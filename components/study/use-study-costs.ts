'use client';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTRPC } from '../trpc-provider';
import { costOfVariant, slotKindOf } from './costs';
import type { TableCosts } from './table-export';
import type { CostName } from './table-view';

/** Slot time grows while runs go on. */
const REFRESH_MS = 30_000;

/** Asked for only while a column of them is shown. */
export function useStudyCosts(
  studyId: string,
  names: readonly CostName[],
): { costs: TableCosts | null; error: unknown } {
  const trpc = useTRPC();
  const { data, error } = useQuery(
    trpc.studies.costs.queryOptions({ id: studyId }, { enabled: names.length > 0, refetchInterval: REFRESH_MS }),
  );
  const costs = useMemo((): TableCosts | null => {
    if (!data || names.length === 0) return null;
    const byRun = new Map(data.map((cost) => [cost.runId, cost]));
    return { names, slots: slotKindOf(data), of: (row) => costOfVariant(row, byRun) };
  }, [data, names]);
  return { costs, error };
}
