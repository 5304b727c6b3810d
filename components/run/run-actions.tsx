'use client';
import { isEnded } from '@mealtable/protocol/statuses';
import type { RunDetailView, RunSummaryView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Download, RotateCcw, Square } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../account/use-me';
import { useTRPC } from '../trpc-provider';
import { Button, DownloadButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { toastError } from '../ui/toast';
import { bestModelFile } from './best-model-file';

export function RunActions({ run }: { run: RunDetailView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const { canEdit } = useMe();
  const [isAsking, setAsking] = useState(false);
  const queryKey = trpc.runs.get.queryKey({ id: run.id });
  const take = (summary: RunSummaryView) =>
    queryClient.setQueryData<RunDetailView>(queryKey, (old) => old && { ...old, ...summary });
  const cancel = useMutation(
    trpc.runs.cancel.mutationOptions({
      onSuccess: (summary) => {
        take(summary);
        setAsking(false);
      },
      onError: (error) => toastError('The run was not cancelled', error),
    }),
  );
  const retry = useMutation(
    trpc.runs.retry.mutationOptions({
      onSuccess: async (summary) => {
        take(summary);
        await queryClient.invalidateQueries({ queryKey });
      },
      onError: (error) => toastError('The run was not queued again', error),
    }),
  );
  const best = bestModelFile(run);
  const canCancel = canEdit && !isEnded(run.status);
  const canRetry = canEdit && (run.status === 'failed' || run.status === 'cancelled');
  return (
    <>
      {canRetry && (
        <Button onClick={() => retry.mutate({ id: run.id })} busy={retry.isPending}>
          <RotateCcw aria-hidden /> Retry
        </Button>
      )}
      {canCancel && (
        <Button onClick={() => setAsking(true)} disabled={run.cancelRequestedAt !== null}>
          <Square aria-hidden /> {run.cancelRequestedAt === null ? 'Cancel run' : 'Cancelling…'}
        </Button>
      )}
      {best && (
        <DownloadButton href={best.url} variant="primary">
          <Download aria-hidden /> Download best checkpoint
        </DownloadButton>
      )}
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title="Cancel this run?"
        confirmLabel="Cancel the run"
        keepLabel="Keep it"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate({ id: run.id })}
      >
        <p>
          {run.role === 'evaluation'
            ? 'Its trainer is asked to stop. A later retry begins anew.'
            : 'Its trainer is asked to stop. Points, log and checkpoints so far stay; a later retry goes on from the latest checkpoint.'}
        </p>
        {run.role !== 'evaluation' && <p>Runs that wait for this one fail.</p>}
      </ConfirmDialog>
    </>
  );
}
