'use client';
import { Gauge, Plus } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMe } from '../account/use-me';
import { Button } from '../ui/button';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { PageHeader } from '../ui/page-header';
import { SkeletonRows } from '../ui/skeleton';
import { EvaluateDialog } from './evaluate-dialog';
import { EvaluationsTable } from './evaluations-table';
import { useEvaluations } from './use-evaluations';

interface EvaluationsViewProps {
  /** A checkpoint that is to be evaluated: the dialog opens with it. */
  of: { runId: string; checkpointId: string } | null;
}

export function EvaluationsView({ of }: EvaluationsViewProps) {
  const router = useRouter();
  const { canEdit } = useMe();
  const evaluations = useEvaluations();
  const [isAsking, setAsking] = useState(false);
  const all = evaluations.data;
  const isEmpty = all?.length === 0;
  const isOpen = canEdit && (isAsking || of !== null);
  const setOpen = (open: boolean) => {
    setAsking(open);
    if (!open && of) router.replace('/evaluations');
  };
  const create = canEdit && (
    <Button variant="primary" onClick={() => setAsking(true)}>
      <Plus aria-hidden /> Evaluate weights
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Evaluations"
        lead="One pass over a dataset’s validation images: what weights reach here, beside what their publication states."
        actions={!isEmpty ? create : undefined}
      />
      {evaluations.isPending && <SkeletonRows rows={4} label="evaluations" />}
      {evaluations.isError && !all && (
        <ErrorState what="The evaluations" error={evaluations.error} onRetry={() => void evaluations.refetch()} />
      )}
      {isEmpty && (
        <EmptyState icon={Gauge} title="Nothing has been evaluated yet" actions={create}>
          Confirm the published accuracy of a teacher on your host before runs spend days with it. Checkpoints of runs
          are evaluated from their own page, under Checkpoints.
        </EmptyState>
      )}
      {all && !isEmpty && <EvaluationsTable evaluations={all} canEdit={canEdit} />}
      {isOpen && <EvaluateDialog of={of} onClose={() => setOpen(false)} />}
    </>
  );
}
