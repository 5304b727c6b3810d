'use client';
import type { StudyOverview } from '@mealtable/protocol/study-page';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTRPC } from '../trpc-provider';

/** Saves a study's question or notes, as they are edited in place. @param onSaved once they are the hub's */
export function useChangeText(study: StudyOverview, field: 'question' | 'notes', onSaved: () => void) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const filter = trpc.studies.overview.queryFilter({ id: study.id });
  const change = useMutation(
    trpc.studies.changeText.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries(filter);
        onSaved();
      },
    }),
  );
  return {
    /** @param was the text that the editing began with */
    save: (was: string, text: string) => change.mutate({ id: study.id, field, was, text }),
    isBusy: change.isPending,
    error: change.error,
    reset: change.reset,
  };
}
