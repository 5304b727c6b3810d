'use client';
import { useQuery } from '@tanstack/react-query';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { ErrorState } from '../ui/error-state';
import { Notice } from '../ui/notice';
import { Skeleton } from '../ui/skeleton';

interface OutputDialogProps {
  launcherId: string;
  /** Of a job; null: the agent that stays. */
  token: string | null;
  title: string;
  onOpenChange: (open: boolean) => void;
}

/** The last lines of an agent's log or a job's output, as the host has them now. */
export function OutputDialog({ launcherId, token, title, onOpenChange }: OutputDialogProps) {
  const trpc = useTRPC();
  const tail = useQuery(trpc.launchers.tail.queryOptions({ id: launcherId, token }, { staleTime: 0, retry: false }));
  return (
    <Dialog
      open
      onOpenChange={onOpenChange}
      wide
      title={title}
      description="The last lines, read from the host."
      footer={
        <Button busy={tail.isFetching} onClick={() => void tail.refetch()}>
          Read again
        </Button>
      }
    >
      {tail.isPending && <Skeleton className="h-48" />}
      {tail.isError && <ErrorState what="The output" error={tail.error} onRetry={() => void tail.refetch()} />}
      {tail.data?.problem && <Notice tone="bad">{tail.data.problem}</Notice>}
      {tail.data && tail.data.problem === null && (
        <pre className="num whitespace-pre-wrap break-all rounded-lg border bg-sunken p-3 text-xs leading-5">
          {tail.data.lines.join('\n') || 'It has printed nothing.'}
        </pre>
      )}
    </Dialog>
  );
}
