'use client';
import { TELEMETRY_RANGES, type TelemetryWindow } from '@mealtable/protocol/telemetry';
import type { HostView } from '@mealtable/protocol/views';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, ZoomIn, ZoomOut } from 'lucide-react';
import { useState } from 'react';
import { formatCount } from '../../format';
import { useLiveEvent, useThrottle } from '../../live-socket';
import { useTRPC } from '../../trpc-provider';
import { IconButton } from '../../ui/button';
import { Disclosure } from '../../ui/disclosure';
import { ErrorState } from '../../ui/error-state';
import { Panel } from '../../ui/panel';
import { Skeleton } from '../../ui/skeleton';
import { useNow } from '../../ui/time';
import { Timeline } from './timeline';
import { TimelineTable } from './timeline-table';

const RENEW_MS = 30_000;

interface HostTimelineProps {
  host: HostView;
  window: TelemetryWindow;
  onZoom: (from: number, to: number) => void;
}

/** Who had which slot when, with the ways to move in time. */
export function HostTimeline({ host, window, onZoom }: HostTimelineProps) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [isTable, setTable] = useState(false);
  const now = useNow(5_000);
  const isMoving = 'range' in window;
  const [from, to] = isMoving ? [now - TELEMETRY_RANGES[window.range], now] : [window.from, window.to];
  const input = { hostId: host.id, window };
  const query = useQuery(
    trpc.telemetry.hostAttempts.queryOptions(input, {
      refetchInterval: isMoving ? RENEW_MS : false,
      placeholderData: keepPreviousData,
    }),
  );
  const renew = useThrottle(
    () => void queryClient.invalidateQueries({ queryKey: trpc.telemetry.hostAttempts.queryKey(input) }),
    2_000,
  );
  useLiveEvent('hosts:changed', renew);
  useLiveEvent('run:changed', (run) => {
    const isKnown = query.data?.attempts.some(({ runId, endedAt }) => runId === run.id && endedAt === null);
    if (run.hostId === host.id || isKnown) renew();
  });
  const span = to - from;
  const move = (share: number) => {
    const end = Math.min(now, to + span * share);
    onZoom(end - span, end);
  };
  const zoom = (factor: number) => {
    const end = Math.min(now, to + (span * (factor - 1)) / 2);
    onZoom(end - span * factor, end);
  };
  return (
    <Panel
      title="Timeline"
      hint="Attempts per slot"
      actions={
        <div className="flex gap-1">
          <IconButton label="Earlier" size="sm" onClick={() => move(-0.5)}>
            <ChevronLeft aria-hidden />
          </IconButton>
          <IconButton label="Later" size="sm" disabled={to >= now} onClick={() => move(0.5)}>
            <ChevronRight aria-hidden />
          </IconButton>
          <IconButton label="Zoom in" size="sm" disabled={span < 60_000} onClick={() => zoom(0.5)}>
            <ZoomIn aria-hidden />
          </IconButton>
          <IconButton label="Zoom out" size="sm" disabled={span > 300 * 86_400_000} onClick={() => zoom(2)}>
            <ZoomOut aria-hidden />
          </IconButton>
        </div>
      }
    >
      {query.isPending && <Skeleton className="h-24" />}
      {query.isError && !query.data && (
        <ErrorState what="The timeline" error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && (
        <>
          <Timeline
            attempts={query.data.attempts}
            slots={host.slots}
            from={from}
            to={to}
            gpuOf={(slot) => gpuName(host, slot)}
            onZoom={onZoom}
          />
          <p className="mt-2 text-ink-3 text-xs">
            {query.data.attempts.length === 0 && 'No attempt in this time.'}
            {query.data.hasMore &&
              `Only the newest ${formatCount(query.data.attempts.length)} attempts of this time are shown: zoom in for the others.`}
          </p>
          {query.data.attempts.length > 0 && (
            <>
              <Disclosure
                label={`As a table (${formatCount(query.data.attempts.length)})`}
                isOpen={isTable}
                onToggle={() => setTable(!isTable)}
                className="mt-2 mb-2"
              />
              {isTable && <TimelineTable attempts={query.data.attempts} />}
            </>
          )}
        </>
      )}
    </Panel>
  );
}

/** Slots go through the GPUs in turn, as the agent hands them out. */
function gpuName({ gpus }: HostView, slot: number): string | null {
  const gpu = gpus[slot % Math.max(1, gpus.length)];
  return gpu ? `GPU ${gpu.index}` : null;
}
