'use client';
import type { RetentionChoice } from '@mealtable/protocol/retention';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError, readErrorCode } from '../api-error';
import { plural } from '../format';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { ErrorState } from '../ui/error-state';
import { Field } from '../ui/field';
import { NumberInput } from '../ui/input';
import { Notice } from '../ui/notice';
import { Skeleton } from '../ui/skeleton';
import { toastDone } from '../ui/toast';
import { readWhole } from './read-whole';
import { RetentionPreviewPanel } from './retention-preview';

const NOTHING_SET: RetentionChoice = { keptBest: null, keptLatest: null };

/** Which checkpoints the study's runs keep, with just what would go before it goes. */
export function RetentionDialog({ studyId, onClose }: { studyId: string; onClose: () => void }) {
  const trpc = useTRPC();
  const opened = useQuery(trpc.checkpoints.previewRetention.queryOptions({ studyId, choice: NOTHING_SET }));
  if (!opened.data)
    return (
      <Dialog open onOpenChange={onClose} wide title="Checkpoints kept">
        {opened.isError ? (
          <ErrorState what="What the study keeps" error={opened.error} onRetry={() => opened.refetch()} />
        ) : (
          <Skeleton className="h-40" />
        )}
      </Dialog>
    );
  return <RetentionForm studyId={studyId} onClose={onClose} current={opened.data.current} />;
}

function RetentionForm({
  studyId,
  onClose,
  current,
}: {
  studyId: string;
  onClose: () => void;
  current: RetentionChoice;
}) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [best, setBest] = useState(current.keptBest === null ? '' : String(current.keptBest));
  const [latest, setLatest] = useState(current.keptLatest === null ? '' : String(current.keptLatest));
  const [keptBest, keptLatest] = [readWhole(best, 1), readWhole(latest, 0)];
  const isValid = keptBest !== undefined && keptLatest !== undefined;
  const choice = { keptBest: keptBest ?? null, keptLatest: keptLatest ?? null };
  const preview = useQuery({
    ...trpc.checkpoints.previewRetention.queryOptions({ studyId, choice }),
    enabled: isValid,
    placeholderData: keepPreviousData,
    // Checkpoints come and go by the minute: what is shown must be what would go now.
    staleTime: 0,
  });
  const change = useMutation(
    trpc.checkpoints.setRetention.mutationOptions({
      onSuccess: ({ removed }) => {
        toastDone(removed === 0 ? 'Saved. Nothing was removed.' : `Saved. ${plural(removed, 'checkpoint')} removed.`);
        onClose();
      },
      onSettled: () =>
        Promise.all([
          queryClient.invalidateQueries(trpc.checkpoints.pathFilter()),
          queryClient.invalidateQueries(trpc.runs.get.queryFilter()),
        ]),
    }),
  );
  const shown = preview.data;
  const isCurrent = isValid && !preview.isPlaceholderData && !preview.isFetching;
  const gone = shown?.goneCount ?? 0;
  return (
    <Dialog
      open
      onOpenChange={onClose}
      wide
      title="Checkpoints kept"
      description="Of each run of this study. The best is always kept, and so is what a run that has not succeeded would go on from."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            form="retention"
            variant={gone > 0 ? 'danger' : 'primary'}
            busy={change.isPending}
            disabled={!isCurrent || !shown}
          >
            {gone > 0 ? `Save and remove ${plural(gone, 'checkpoint')}` : 'Save'}
          </Button>
        </>
      }
    >
      <form
        id="retention"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (isCurrent && shown) change.mutate({ studyId, choice, seen: { current, fingerprint: shown.fingerprint } });
        }}
      >
        <div className="grid gap-4 sm:grid-cols-2">
          <Field
            label="Best of each run"
            optional
            hint={`By top-1. Empty for this hub's ${shown?.defaults.best ?? '…'}.`}
            error={keptBest === undefined ? 'A whole number from 1 to 1,000.' : null}
          >
            {(control) => <NumberInput {...control} value={best} onChange={(event) => setBest(event.target.value)} />}
          </Field>
          <Field
            label="Latest of each run"
            optional
            hint={
              keptLatest === 0
                ? 'None: runs that succeeded can then be given no more epochs.'
                : `To go on from. Empty for this hub's ${shown?.defaults.latest ?? '…'}.`
            }
            error={keptLatest === undefined ? 'A whole number from 0 to 1,000.' : null}
          >
            {(control) => (
              <NumberInput {...control} value={latest} onChange={(event) => setLatest(event.target.value)} />
            )}
          </Field>
        </div>
        {change.isError && (
          <Notice tone={readErrorCode(change.error) === 'conflict' ? 'warn' : 'bad'} title="Nothing was changed">
            {describeError(change.error)}
          </Notice>
        )}
        {preview.isError && <ErrorState what="The preview" error={preview.error} onRetry={() => preview.refetch()} />}
        {shown ? <RetentionPreviewPanel preview={shown} isStale={!isCurrent} /> : <Skeleton className="h-24" />}
      </form>
    </Dialog>
  );
}
