'use client';
import type { CheckpointStatusView } from '@mealtable/protocol/retention';
import type { RunDetailView } from '@mealtable/protocol/views';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useTRPC } from '../trpc-provider';

/** How often the bytes that have arrived are asked for while some are on their way. */
const ARRIVING_MS = 1_000;

/** Why each checkpoint is kept and how much of those on their way has arrived; the run is read again when one is whole. */
export function useCheckpointStatus(run: RunDetailView): CheckpointStatusView | undefined {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const { data } = useQuery(
    trpc.checkpoints.status.queryOptions(
      { runId: run.id },
      { refetchInterval: ({ state }) => (Object.keys(state.data?.arriving ?? {}).length > 0 ? ARRIVING_MS : false) },
    ),
  );
  const version = run.checkpoints.map(({ id, complete }) => `${id} ${complete}`).join();
  const seen = useRef(version);
  useEffect(() => {
    if (seen.current === version) return;
    seen.current = version;
    void queryClient.invalidateQueries(trpc.checkpoints.status.queryFilter({ runId: run.id }));
  }, [version, queryClient, trpc, run.id]);
  const waiting = run.checkpoints.filter((checkpoint) => !checkpoint.complete);
  const isWhole = data && waiting.some(({ files }) => files.every((file) => !(file.sha256 in data.arriving)));
  useEffect(() => {
    if (isWhole) void queryClient.invalidateQueries(trpc.runs.get.queryFilter({ id: run.id }));
  }, [isWhole, queryClient, trpc, run.id]);
  return data;
}
