'use client';
import type { TelemetryRange, TelemetryWindow } from '@mealtable/protocol/telemetry';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Compass } from 'lucide-react';
import { useState } from 'react';
import { formatAbsolute } from '../format';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';
import { BackLink } from '../ui/back-link';
import { Button } from '../ui/button';
import { ErrorState } from '../ui/error-state';
import { MissingPage } from '../ui/missing-page';
import { Notice } from '../ui/notice';
import { PageHeader } from '../ui/page-header';
import { Panel, Section } from '../ui/panel';
import { Segmented } from '../ui/segmented';
import { Skeleton } from '../ui/skeleton';
import { RelativeTime } from '../ui/time';
import { HostSlots } from './host-slots';
import { HostStateBadge } from './host-state-badge';
import { HostCharts } from './telemetry/host-charts';
import { HostTimeline } from './timeline/host-timeline';

const RANGES: readonly { value: Exclude<TelemetryRange, '15m'>; label: string }[] = [
  { value: '1h', label: '1 h' },
  { value: '6h', label: '6 h' },
  { value: '24h', label: '24 h' },
  { value: '30d', label: '30 d' },
];

/** One host: what its slots did and do, and all that it measures. */
export function HostDetailView({ id }: { id: string }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  // "Unreachable" is a matter of time, which no event announces: hence the slow renewal beside the events.
  const hosts = useQuery(trpc.hosts.list.queryOptions(undefined, { refetchInterval: 10_000 }));
  const refresh = useThrottle(() => void queryClient.invalidateQueries(trpc.hosts.list.queryFilter()), 1_000);
  useWatch({ kind: 'all' }, { onJoined: refresh });
  useLiveEvent('hosts:changed', refresh);
  useLiveEvent('run:changed', (run) =>
    queryClient.setQueryData(trpc.hosts.list.queryKey(), (old) =>
      old?.map((host) => ({ ...host, runs: host.runs.map((known) => (known.id === run.id ? run : known)) })),
    ),
  );
  const [range, setRange] = useState<TelemetryRange>('1h');
  const [zoom, setZoom] = useState<{ from: number; to: number } | null>(null);
  if (hosts.isError && !hosts.data)
    return <ErrorState what="The host" error={hosts.error} onRetry={() => void hosts.refetch()} />;
  if (!hosts.data)
    return (
      <div role="status" aria-label="Loading the host">
        <Skeleton className="mb-3 h-4 w-24" />
        <Skeleton className="mb-6 h-7 w-72 max-w-full" />
        <Skeleton className="h-64" />
      </div>
    );
  const host = hosts.data.find((each) => each.id === id);
  if (!host) return <MissingHost />;
  const window: TelemetryWindow = zoom ?? { range };
  return (
    <>
      <BackLink href="/hosts">Hosts</BackLink>
      <PageHeader
        title={host.name}
        documentTitle={host.name}
        badges={<HostStateBadge state={host.state} />}
        lead={
          <>
            {host.cpuModel} × {host.cpuCount}
            {host.gpus.length > 0 && ` · ${host.gpus.length} × ${host.gpus[0]?.name}`}
            {host.state !== 'online' && (
              <>
                {' · last heard of '}
                <RelativeTime at={host.lastSeenAt} none="never" />
              </>
            )}
          </>
        }
      />
      {host.state !== 'online' && (
        <Notice tone="warn" className="mb-4">
          Nothing is heard of this host. What is shown is what it sent before; what it measures meanwhile comes when it
          is back, of the last 15 minutes at most.
        </Notice>
      )}
      <Panel title="Now" className="mb-4">
        <div className="max-w-xl">
          <HostSlots host={host} />
        </div>
      </Panel>
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <Segmented
          label="Time shown"
          value={zoom ? '' : range}
          onChange={(next) => {
            setZoom(null);
            setRange(next as TelemetryRange);
          }}
          options={RANGES}
        />
        {zoom && (
          <>
            <span className="num text-ink-2 text-xs">
              {formatAbsolute(zoom.from)} – {formatAbsolute(zoom.to)}
            </span>
            <Button size="sm" onClick={() => setZoom(null)}>
              Back to now
            </Button>
          </>
        )}
      </div>
      <div className="mb-4">
        <HostTimeline host={host} window={window} onZoom={(from, to) => setZoom({ from, to })} />
      </div>
      <Section title="Telemetry">
        <HostCharts hostId={host.id} window={window} />
      </Section>
    </>
  );
}

function MissingHost() {
  return (
    <MissingPage icon={Compass} title="There is no such host" back={{ href: '/hosts', words: 'To the hosts' }}>
      It may have been removed. It comes back when its agent connects again.
    </MissingPage>
  );
}
