'use client';
import type { HostView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, CircleHelp, Trash2, Unplug } from 'lucide-react';
import { useId, useState } from 'react';
import { formatBytes } from '../format';
import { useTRPC } from '../trpc-provider';
import { Badge } from '../ui/badge';
import { IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { Fact, Facts } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { toastError } from '../ui/toast';
import { HostDatasets } from './host-datasets';
import { HostSlots } from './host-slots';

const STATES = {
  online: { word: 'Online', tone: 'good', icon: CircleCheck },
  unreachable: { word: 'Unreachable', tone: 'warn', icon: CircleHelp },
  detached: { word: 'Detached', tone: 'neutral', icon: Unplug },
} as const;

export function HostCard({ host, canRemove }: { host: HostView; canRemove: boolean }) {
  const titleId = useId();
  const { word, tone, icon: Icon } = STATES[host.state];
  return (
    <li className="min-w-0 rounded-panel border bg-surface">
      <article aria-labelledby={titleId}>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-3">
          <h2 id={titleId} className="min-w-0 break-words font-semibold text-base">
            {host.name}
          </h2>
          <Badge tone={tone}>
            <Icon aria-hidden />
            {word}
          </Badge>
          <span className="ml-auto text-ink-3 text-xs">
            {host.state === 'online' ? 'Heard of ' : 'Last heard of '}
            <RelativeTime at={host.lastSeenAt} none="never" />
          </span>
          {canRemove && <RemoveHost host={host} />}
        </div>
        <div className="grid gap-x-8 gap-y-5 p-4 sm:grid-cols-2">
          <HostSlots host={host} />
          <Facts className="content-start">
            <Fact name="GPU">
              {host.gpus.length === 0
                ? 'None'
                : host.gpus.map((gpu) => (
                    <div key={gpu.index}>
                      {gpu.name} <span className="text-ink-3">{formatBytes(gpu.memoryBytes)}</span>
                    </div>
                  ))}
            </Fact>
            <Fact name="CPU">
              {host.cpuModel} <span className="text-ink-3">× {host.cpuCount}</span>
            </Fact>
            <Fact name="Memory">{formatBytes(host.memoryBytes)}</Fact>
            <Fact name="Backend">{host.backend}</Fact>
            <Fact name="System">{host.platform}</Fact>
            <Fact name="Agent">
              <span className="num text-xs">{host.agentVersion}</span>
            </Fact>
          </Facts>
        </div>
        <HostDatasets datasets={host.datasets} />
      </article>
    </li>
  );
}

function RemoveHost({ host }: { host: HostView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const remove = useMutation(
    trpc.hosts.remove.mutationOptions({
      onSuccess: () => setAsking(false),
      onSettled: () => queryClient.invalidateQueries(trpc.hosts.list.queryFilter()),
      onError: (error) => toastError('The host was not removed', error),
    }),
  );
  return (
    <>
      <IconButton label={`Remove ${host.name}`} size="sm" onClick={() => setAsking(true)}>
        <Trash2 aria-hidden />
      </IconButton>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={`Remove ${host.name}?`}
        confirmLabel="Remove the host"
        busy={remove.isPending}
        onConfirm={() => remove.mutate({ id: host.id })}
      >
        <p>
          Runs it still holds count as lost and are queued again. It comes back by itself when its agent reconnects.
        </p>
      </ConfirmDialog>
    </>
  );
}
