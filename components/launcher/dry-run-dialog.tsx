'use client';
import type { LauncherView } from '@mealtable/protocol/launcher-views';
import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { CopyBlock } from '../ui/copy-button';
import { Dialog } from '../ui/dialog';
import { Notice } from '../ui/notice';
import { Skeleton } from '../ui/skeleton';

/** The script to the letter; the host is looked at for its paths, and nothing is started. */
export function DryRunDialog({
  launcher,
  onOpenChange,
}: {
  launcher: LauncherView;
  onOpenChange: (open: boolean) => void;
}) {
  const trpc = useTRPC();
  const dryRun = useMutation(trpc.launchers.dryRun.mutationOptions());
  const { mutate } = dryRun;
  useEffect(() => mutate({ id: launcher.id }), [mutate, launcher.id]);
  return (
    <Dialog
      open
      onOpenChange={onOpenChange}
      wide
      title={`Dry run of ${launcher.name}`}
      description={
        launcher.kind === 'slurm'
          ? 'What sbatch would get for a run, exactly. The token is in a file beside it.'
          : 'What the host’s shell would get to start the agent, exactly. The token is in a file there.'
      }
    >
      {dryRun.isPending && <Skeleton className="h-64" />}
      {dryRun.isError && <Notice tone="bad">{describeError(dryRun.error)}</Notice>}
      {dryRun.data && <CopyBlock label="Copy the script" text={dryRun.data.script} />}
    </Dialog>
  );
}
