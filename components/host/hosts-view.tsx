'use client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Server } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../account/use-me';
import { plural } from '../format';
import { LaunchersSection } from '../launcher/launchers-section';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { PageHeader } from '../ui/page-header';
import { Skeleton } from '../ui/skeleton';
import { AddHostDialog } from './add-host-dialog';
import { HostCard } from './host-card';

export function HostsView() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const { canEdit, isOwner } = useMe();
  const [isAttaching, setAttaching] = useState(false);
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

  const online = hosts.data?.filter((host) => host.state === 'online') ?? [];
  const slots = online.reduce((sum, host) => sum + host.slots, 0);
  const busy = online.reduce((sum, host) => sum + Math.min(host.slots, host.runs.length), 0);
  const attach = canEdit && (
    <Button variant="primary" onClick={() => setAttaching(true)}>
      <Plus aria-hidden /> Add a host
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Hosts"
        lead={
          hosts.data && hosts.data.length > 0
            ? `${plural(online.length, 'host')} online, ${busy} of ${plural(slots, 'slot')} in use`
            : 'Machines that train.'
        }
        actions={hosts.data && hosts.data.length > 0 ? attach : undefined}
      />
      <LaunchersSection />
      {hosts.isPending && (
        <div role="status" aria-label="Loading hosts" className="grid gap-4 xl:grid-cols-2">
          <Skeleton className="h-64" />
          <Skeleton className="h-64" />
        </div>
      )}
      {hosts.isError && !hosts.data && (
        <ErrorState what="The hosts" error={hosts.error} onRetry={() => void hosts.refetch()} />
      )}
      {hosts.data?.length === 0 && (
        <EmptyState icon={Server} title="No host is attached" actions={attach}>
          Runs wait in the queue until a host takes them. One command on a machine with your images attaches it.
        </EmptyState>
      )}
      {hosts.data && hosts.data.length > 0 && (
        <ul className="grid items-start gap-4 xl:grid-cols-2">
          {hosts.data.map((host) => (
            <HostCard key={host.id} host={host} canEdit={canEdit} canRemove={isOwner && host.state !== 'online'} />
          ))}
        </ul>
      )}
      <AddHostDialog open={isAttaching} onOpenChange={setAttaching} />
    </>
  );
}
