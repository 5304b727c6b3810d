'use client';
import type { LauncherView } from '@mealtable/protocol/launcher-views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Ellipsis, FileCode, Pencil, Play, RefreshCw, ScrollText, Square, Trash2 } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useTRPC } from '../trpc-provider';
import { Button, IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { toastError } from '../ui/toast';
import { DryRunDialog } from './dry-run-dialog';
import { EditLauncherDialog } from './edit-launcher-dialog';
import { OutputDialog } from './output-dialog';

type Asking = 'stop' | 'remove' | 'edit' | 'dry-run' | 'log' | null;

export function LauncherActions({
  launcher,
  isOwner,
  canEdit,
}: {
  launcher: LauncherView;
  isOwner: boolean;
  canEdit: boolean;
}) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState<Asking>(null);
  const close = (open: boolean) => !open && setAsking(null);
  const renew = () => queryClient.invalidateQueries(trpc.launchers.list.queryFilter());
  const act = (what: string) => ({
    onSuccess: () => setAsking(null),
    onSettled: renew,
    onError: (error: unknown) => toastError(what, error),
  });
  const launch = useMutation(trpc.launchers.launch.mutationOptions(act('The launch did not begin')));
  const stop = useMutation(trpc.launchers.stop.mutationOptions(act('The agent was not stopped')));
  const look = useMutation(trpc.launchers.look.mutationOptions(act('It could not be looked at')));
  const remove = useMutation(
    trpc.launchers.remove.mutationOptions({
      ...act('The launcher was not removed'),
      onSuccess: () => router.push('/hosts'),
    }),
  );
  const { id, name, kind, task, fromConfig, agent, hosts, hostKeyFingerprint, settings } = launcher;
  const staysAgent = kind !== 'slurm';
  const runs = agent?.state === 'running' || hosts.some(({ isOnline }) => isOnline);
  const needsKey = settings.kind === 'ssh' && hostKeyFingerprint === null;
  return (
    <>
      {isOwner && staysAgent && runs && (
        <Button disabled={task !== null} onClick={() => setAsking('stop')}>
          <Square aria-hidden /> Stop
        </Button>
      )}
      {isOwner && staysAgent && (
        <Button
          variant={runs ? 'secondary' : 'primary'}
          busy={launch.isPending || task === 'launching'}
          disabled={task !== null || needsKey}
          title={needsKey ? 'Accept the key of the host first' : undefined}
          onClick={() => launch.mutate({ id })}
        >
          <Play aria-hidden /> {runs ? 'Update' : 'Launch'}
        </Button>
      )}
      {canEdit && (
        <Menu
          trigger={
            <IconButton label="More actions" variant="secondary">
              <Ellipsis aria-hidden />
            </IconButton>
          }
        >
          <MenuItem icon={<RefreshCw aria-hidden />} onSelect={() => look.mutate({ id })}>
            Look now
          </MenuItem>
          {staysAgent && (
            <MenuItem icon={<ScrollText aria-hidden />} onSelect={() => setAsking('log')}>
              The agent’s log
            </MenuItem>
          )}
          {isOwner && (
            <>
              <MenuItem icon={<FileCode aria-hidden />} onSelect={() => setAsking('dry-run')}>
                Dry run
              </MenuItem>
              <MenuSeparator />
              <MenuItem icon={<Pencil aria-hidden />} disabled={fromConfig} onSelect={() => setAsking('edit')}>
                {fromConfig ? 'Edit (in the config file)' : 'Edit'}
              </MenuItem>
              <MenuItem icon={<Trash2 aria-hidden />} danger disabled={fromConfig} onSelect={() => setAsking('remove')}>
                {fromConfig ? 'Remove (in the config file)' : 'Remove'}
              </MenuItem>
            </>
          )}
        </Menu>
      )}
      {asking === 'edit' && <EditLauncherDialog launcher={launcher} onOpenChange={close} />}
      {asking === 'dry-run' && <DryRunDialog launcher={launcher} onOpenChange={close} />}
      {asking === 'log' && <OutputDialog launcherId={id} token={null} title={`Log of ${name}`} onOpenChange={close} />}
      <ConfirmDialog
        open={asking === 'stop'}
        onOpenChange={close}
        title={`Stop the agent of ${name}?`}
        confirmLabel="Stop the agent"
        busy={stop.isPending}
        onConfirm={() => stop.mutate({ id })}
      >
        <p>
          Its runs save a checkpoint and go back to the queue, for another host or for this one when it is launched
          again.
        </p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asking === 'remove'}
        onOpenChange={close}
        title={`Remove ${name}?`}
        confirmLabel="Remove the launcher"
        busy={remove.isPending}
        onConfirm={() => remove.mutate({ id })}
      >
        <p>Its token is revoked, and what it did is forgotten. Hosts and attempts of its runs stay in the records.</p>
      </ConfirmDialog>
    </>
  );
}
