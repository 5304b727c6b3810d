'use client';
import { TELEMETRY_RANGES, type TelemetryWindow } from '@mealtable/protocol/telemetry';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useLiveEvent, useWatch } from '../../live-socket';
import { useTRPC } from '../../trpc-provider';
import { appendSample } from './append-sample';

/** Beyond this a sample is less than a place of the chart: reading anew is enough. */
const LIVE_UP_TO_MS = TELEMETRY_RANGES['1h'];
const RENEW_MS = 60_000;

/** A host's telemetry: short ranges follow each sample, all are read again once a minute unless they are of the past. */
export function useHostTelemetry(hostId: string, window: TelemetryWindow) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const input = { hostId, window };
  const spanMs = 'range' in window ? TELEMETRY_RANGES[window.range] : null;
  const isLive = spanMs !== null && spanMs <= LIVE_UP_TO_MS;
  const queryKey = trpc.telemetry.host.queryKey(input);
  const query = useQuery(
    trpc.telemetry.host.queryOptions(input, {
      refetchInterval: spanMs === null ? false : RENEW_MS,
      placeholderData: keepPreviousData,
    }),
  );
  useWatch(isLive ? { kind: 'host', hostId } : null, {
    onJoined: () => void queryClient.invalidateQueries({ queryKey }),
  });
  useLiveEvent('host:sampled', (event) => {
    if (!isLive || event.hostId !== hostId) return;
    queryClient.setQueryData(queryKey, (old: typeof query.data) => old && appendSample(old, event, spanMs));
  });
  return query;
}
