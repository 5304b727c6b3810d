'use client';
import type { StudyTable } from '@mealtable/protocol/study-page';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTRPC } from '../trpc-provider';
import { toastError } from '../ui/toast';

/** Changes the study's own reference: the mark moves at once, the hub's answer follows. */
export function useReference(studyId: string): (variantId: string) => void {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const queryKey = trpc.studies.table.queryKey({ id: studyId });
  const { mutate } = useMutation(
    trpc.studies.setReference.mutationOptions({
      onMutate: ({ variantId }) =>
        queryClient.setQueryData<StudyTable>(
          queryKey,
          (old) =>
            old && {
              ...old,
              referenceVariantId: variantId,
              rows: old.rows.map((row) => ({ ...row, isReference: row.variantId === variantId })),
            },
        ),
      onError: (error) => toastError('The reference was not changed', error),
      onSettled: () => queryClient.invalidateQueries({ queryKey }),
    }),
  );
  return (variantId) => mutate({ id: studyId, variantId });
}
