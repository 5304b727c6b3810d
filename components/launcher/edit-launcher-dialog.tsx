'use client';
import type { LauncherView } from '@mealtable/protocol/launcher-views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTRPC } from '../trpc-provider';
import { Dialog } from '../ui/dialog';
import { draftOf } from './launcher-draft';
import { LauncherForm } from './launcher-form';

export function EditLauncherDialog({
  launcher,
  onOpenChange,
}: {
  launcher: LauncherView;
  onOpenChange: (open: boolean) => void;
}) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const edit = useMutation(
    trpc.launchers.edit.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries(trpc.launchers.list.queryFilter());
        onOpenChange(false);
      },
    }),
  );
  return (
    <Dialog
      open
      onOpenChange={onOpenChange}
      wide
      title={`Edit ${launcher.name}`}
      description={
        launcher.kind === 'slurm'
          ? 'Jobs that are in Slurm’s queue keep what they were submitted with.'
          : 'A running agent keeps its settings until it is updated; its runs go on.'
      }
    >
      <LauncherForm
        initial={draftOf(launcher.name, launcher.settings)}
        submitLabel="Save"
        busy={edit.isPending}
        error={edit.error}
        onSubmit={(change) => edit.mutate({ id: launcher.id, ...change })}
        onCancel={() => onOpenChange(false)}
      />
    </Dialog>
  );
}
