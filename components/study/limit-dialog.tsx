'use client';
import type { StudyOverview } from '@mealtable/protocol/study-page';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { problemAt } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { NumberInput } from '../ui/input';
import { toastError } from '../ui/toast';

/** How many of a study's runs may be on hosts at once. */
export function LimitDialog({ study, onClose }: { study: StudyOverview; onClose: () => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [text, setText] = useState(study.maxConcurrent === null ? '' : String(study.maxConcurrent));
  const change = useMutation(
    trpc.studies.setMaxConcurrent.mutationOptions({
      onSuccess: onClose,
      onError: (error) => problemAt(error, 'maxConcurrent') ?? toastError('The limit was not changed', error),
      onSettled: () => queryClient.invalidateQueries(trpc.studies.overview.queryFilter({ id: study.id })),
    }),
  );
  const number = text.trim() === '' ? null : Number(text);
  const isNumber = number === null || Number.isInteger(number);
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Runs at once"
      description="Leaves slots to other studies. What is training goes on."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="limit" variant="primary" busy={change.isPending} disabled={!isNumber}>
            Save
          </Button>
        </>
      }
    >
      <form
        id="limit"
        onSubmit={(event) => {
          event.preventDefault();
          if (isNumber) change.mutate({ id: study.id, maxConcurrent: number });
        }}
      >
        <Field
          label="At most"
          optional
          hint="Empty for as many as there are slots."
          error={isNumber ? problemAt(change.error, 'maxConcurrent') : 'Runs at once are a whole number.'}
        >
          {(control) => <NumberInput {...control} value={text} onChange={(event) => setText(event.target.value)} />}
        </Field>
      </form>
    </Dialog>
  );
}
