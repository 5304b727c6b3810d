'use client';
import type { LauncherKind } from '@mealtable/protocol/launchers';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useTRPC } from '../trpc-provider';
import { emptyDraft } from './launcher-draft';
import { LauncherForm } from './launcher-form';

/** Nothing is contacted yet: the launcher's page leads through the host's key, a dry run and the launch. */
export function NewLauncherForm({ kind, onDone }: { kind: LauncherKind; onDone: () => void }) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const add = useMutation(
    trpc.launchers.add.mutationOptions({
      onSuccess: async ({ id }) => {
        await queryClient.invalidateQueries(trpc.launchers.list.queryFilter());
        router.push(`/hosts/launchers/${id}`);
        onDone();
      },
    }),
  );
  return (
    <LauncherForm
      initial={emptyDraft(kind)}
      submitLabel="Add"
      busy={add.isPending}
      error={add.error}
      onSubmit={(launcher) => add.mutate(launcher)}
      onCancel={onDone}
    />
  );
}
