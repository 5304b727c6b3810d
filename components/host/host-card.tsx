'use client';
import type { HostView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { LogOut, Moon, Trash2 } from 'lucide-react';
import Link from 'next/link';
import { useId, useState } from 'react';
import { formatBytes } from '../format';
import { useTRPC } from '../trpc-provider';
import { Badge } from '../ui/badge';
import { IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { Fact, Facts } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { toastError } from '../ui/toast';
import { HostActions } from './host-actions';
import { HostDatasets } from './host-datasets';
import { HostPlacement } from './host-placement';
import { HostSlots } from './host-slots';
import { HostStateBadge } from './host-state-badge';
import { HostSparklines } from './telemetry/host-sparklines';

export function HostCard({ host, canEdit, canRemove }: { host: HostView; canEdit: boolean; canRemove: boolean }) {
  const titleId = useId();
  return (
    <li className="min-w-0 rounded-panel border bg-surface">
      <article aria-labelledby={titleId}>
        <div className="flex items-start gap-3 border-b px-4 py-3">
          <div className="flex min-w-0 grow flex-wrap items-center gap-x-3 gap-y-1">
            <h2 id={titleId} className="min-w-0 break-words font-semibold text-base">
              <Link href={`/hosts/${host.id}`} className="hover:text-accent hover:underline">
                {host.name}
              </Link>
            </h2>
            <HostStateBadge state={host.state} />
            {host.drainingAt !== null && (
              <Badge tone="warn">
                <LogOut aria-hidden />
                Drained
              </Badge>
            )}
            {host.restingUntil !== null && (
              <Badge tone="warn">
                <Moon aria-hidden />
                Resting
              </Badge>
            )}
            <span className="text-ink-3 text-xs sm:ml-auto">
              {host.state === 'online' ? 'Heard of ' : 'Last heard of '}
              <RelativeTime at={host.lastSeenAt} none="never" />
            </span>
          </div>
          {canEdit && <HostActions host={host} />}
          {canRemove && <RemoveHost host={host} />}
        </div>
        <HostPlacement host={host} canEdit={canEdit} />
        <div className="grid gap-x-8 gap-y-5 p-4 sm:grid-cols-2">
          <HostSlots host={host} />
          <Facts className="content-start">
            <Fact name="GPU">
              {host.gpus.length === 0 && 'None'}
              {groupGpus(host.gpus).map(({ name, memoryBytes, count }) => (
                <div key={`${name} ${memoryBytes}`}>
                  {count > 1 && <span className="num">{count} × </span>}
                  {name} <span className="text-ink-3">{formatBytes(memoryBytes)}</span>
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
        <HostSparklines host={host} />
        <HostDatasets datasets={host.datasets} />
      </article>
    </li>
  );
}

/** Equal cards are one line. */
function groupGpus(gpus: HostView['gpus']): { name: string; memoryBytes: number; count: number }[] {
  const groups = new Map<string, { name: string; memoryBytes: number; count: number }>();
  for (const { name, memoryBytes } of gpus) {
    const key = `${name} ${formatBytes(memoryBytes)}`;
    groups.set(key, { name, memoryBytes, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  return [...groups.values()];
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
