'use client';
import type { HostView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { LogIn, LogOut, Sun } from 'lucide-react';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { toastError } from '../ui/toast';

/** Whether the host takes runs. */
export function HostActions({ host }: { host: HostView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const options = {
    onSettled: () => queryClient.invalidateQueries(trpc.hosts.list.queryFilter()),
    onError: (error: unknown) => toastError(`${host.name} was not changed`, error),
  };
  const drain = useMutation(trpc.hosts.drain.mutationOptions(options));
  const undrain = useMutation(trpc.hosts.undrain.mutationOptions(options));
  const wake = useMutation(trpc.hosts.wake.mutationOptions(options));
  const { id } = host;
  return (
    <div className="flex shrink-0 flex-wrap justify-end gap-2">
      {host.restingUntil !== null && (
        <Button size="sm" busy={wake.isPending} onClick={() => wake.mutate({ id })}>
          <Sun aria-hidden /> Wake
        </Button>
      )}
      {host.drainingAt === null ? (
        <Button
          size="sm"
          busy={drain.isPending}
          title="It takes no more runs; what it trains goes on"
          onClick={() => drain.mutate({ id })}
        >
          <LogOut aria-hidden /> Drain
        </Button>
      ) : (
        <Button size="sm" busy={undrain.isPending} onClick={() => undrain.mutate({ id })}>
          <LogIn aria-hidden /> Undrain
        </Button>
      )}
    </div>
  );
}
