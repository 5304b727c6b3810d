'use client';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { useMutation } from '@tanstack/react-query';
import { Square } from 'lucide-react';
import { useState } from 'react';
import { plural } from '../format';
import { useTRPCClient } from '../trpc-provider';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { toastDone, toastError } from '../ui/toast';

interface CancelRunsButtonProps {
  selectedCount: number;
  /** Those of the selected that can still be cancelled. */
  runs: readonly RunSummaryView[];
  onDone: () => void;
}

export function CancelRunsButton({ selectedCount, runs, onDone }: CancelRunsButtonProps) {
  const client = useTRPCClient();
  const [isAsking, setAsking] = useState(false);
  const cancel = useMutation({
    mutationFn: async (ids: string[]) => {
      // One by one the hub would be asked for as many answers; the client sends what is asked at once as one request.
      const answers = await Promise.allSettled(ids.map((id) => client.runs.cancel.mutate({ id })));
      const refused = answers.filter((answer) => answer.status === 'rejected');
      const [first] = refused;
      if (first) throw Object.assign(first.reason, { refusedCount: refused.length });
    },
    onSuccess: (_, ids) => {
      toastDone(`${plural(ids.length, 'run')} asked to stop.`);
      onDone();
    },
    onError: (error: Error & { refusedCount?: number }) =>
      toastError(`${plural(error.refusedCount ?? 1, 'run')} could not be cancelled`, error),
    onSettled: () => setAsking(false),
  });
  return (
    <>
      <span className="text-ink-2 text-sm">{selectedCount} selected</span>
      <Button size="sm" disabled={runs.length === 0} onClick={() => setAsking(true)}>
        <Square aria-hidden /> Cancel {plural(runs.length, 'run')}
      </Button>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={`Cancel ${plural(runs.length, 'run')}?`}
        confirmLabel={`Cancel ${plural(runs.length, 'run')}`}
        keepLabel="Keep them"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate(runs.map((run) => run.id))}
      >
        <p>Queued runs are taken out of the queue, running trainers are asked to stop. What has been recorded stays.</p>
      </ConfirmDialog>
    </>
  );
}
