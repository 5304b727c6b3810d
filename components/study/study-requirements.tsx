'use client';
import { isEnded } from '@mealtable/protocol/statuses';
import { useQuery } from '@tanstack/react-query';
import { RequirementsDialog } from '../queue/requirements-dialog';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { ErrorState } from '../ui/error-state';
import { Skeleton } from '../ui/skeleton';

/** Binds a study to hosts: what all its runs that have not succeeded need. Runs that are added later need the same. */
export function StudyRequirements({ studyId, onClose }: { studyId: string; onClose: () => void }) {
  const trpc = useTRPC();
  const study = useQuery(trpc.studies.get.queryOptions({ id: studyId }));
  const runs = study.data?.runs.filter((run) => !isEnded(run.status) || run.status === 'failed');
  if (runs && runs.length > 0) return <RequirementsDialog runs={runs} onClose={onClose} onDone={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Where its runs may train"
      footer={<Button onClick={onClose}>Close</Button>}
    >
      {study.isError ? (
        <ErrorState what="The runs" error={study.error} onRetry={() => void study.refetch()} />
      ) : runs ? (
        <p className="text-sm">Every run of the study has ended: there is nothing to bind to a host.</p>
      ) : (
        <Skeleton className="h-16" />
      )}
    </Dialog>
  );
}
