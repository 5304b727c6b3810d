'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { plural } from '../format';
import { useTRPC } from '../trpc-provider';
import { toastDone, toastError, toastPartly } from '../ui/toast';

export type RunAction = 'cancelMany' | 'retryMany' | 'pause' | 'resume';

const DONE: Record<RunAction, string> = {
  cancelMany: 'asked to stop',
  retryMany: 'queued again',
  pause: 'paused or asked to',
  resume: 'resumed',
};
const FAILED: Record<RunAction, string> = {
  cancelMany: 'The runs were not cancelled',
  retryMany: 'The runs were not queued again',
  pause: 'The runs were not paused',
  resume: 'The runs were not resumed',
};

/** What people do to runs, with what they are told of it. Pages follow by the live events; the queue is read anew. */
export function useRunControl(onDone: () => void = () => {}) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const renew = () =>
    Promise.all([
      queryClient.invalidateQueries(trpc.runs.queue.queryFilter()),
      queryClient.invalidateQueries(trpc.runs.waiting.queryFilter()),
      queryClient.invalidateQueries(trpc.runs.get.queryFilter()),
    ]);
  const useAction = (action: RunAction) =>
    useMutation(
      trpc.runs[action].mutationOptions({
        onSuccess: ({ changed, problems }, { ids }) => {
          const [first] = problems;
          if (first !== undefined) toastPartly(`${plural(changed, 'run')} ${DONE[action]}, others not`, first);
          else if (ids.length > 1) toastDone(`${plural(changed, 'run')} ${DONE[action]}.`);
          onDone();
        },
        onError: (error) => toastError(FAILED[action], error),
        onSettled: renew,
      }),
    );
  const cancel = useAction('cancelMany');
  const retry = useAction('retryMany');
  const pause = useAction('pause');
  const resume = useAction('resume');
  const prioritise = useMutation(
    trpc.runs.setPriority.mutationOptions({
      onError: (error) => toastError('The priority was not changed', error),
      onSettled: renew,
    }),
  );
  return { cancel, retry, pause, resume, prioritise, renew };
}
