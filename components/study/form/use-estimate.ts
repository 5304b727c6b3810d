'use client';
import { keepPreviousData, skipToken, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTRPC } from '../../trpc-provider';
import { useStudyForm } from './form-context';

/** While somebody types nothing is asked. */
const QUIET_MS = 500;

/** What the hub says of the design as it is, or as it was before the last moments; null while it cannot be run. */
export function useEstimate() {
  const trpc = useTRPC();
  const { design, expansion, extendedId } = useStudyForm();
  const settled = useSettled(expansion?.ok ? design : null, QUIET_MS);
  return useQuery(
    trpc.studies.estimate.queryOptions(settled ? { design: settled, extends: extendedId } : skipToken, {
      placeholderData: keepPreviousData,
      staleTime: 30_000,
    }),
  );
}

function useSettled<T>(value: T, quietMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), quietMs);
    return () => clearTimeout(timer);
  }, [value, quietMs]);
  return settled;
}
