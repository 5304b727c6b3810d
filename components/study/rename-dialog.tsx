'use client';
import { StudyName } from '@mealtable/protocol/study-design';
import type { StudyOverview } from '@mealtable/protocol/study-page';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';

/** Mounted only while open, so that it always begins with the present name. */
export function RenameDialog({ study, onClose }: { study: StudyOverview; onClose: () => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [name, setName] = useState(study.name);
  const parsed = StudyName.safeParse(name);
  const rename = useMutation(
    trpc.studies.rename.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries(trpc.studies.overview.queryFilter({ id: study.id }));
        onClose();
      },
    }),
  );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Rename the study"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="rename" variant="primary" busy={rename.isPending} disabled={!parsed.success}>
            Save
          </Button>
        </>
      }
    >
      <form
        id="rename"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (parsed.success) rename.mutate({ id: study.id, name: parsed.data });
        }}
      >
        <Field label="Name" error={parsed.success ? null : parsed.error.issues[0]?.message}>
          {(control) => <Input {...control} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        {rename.isError && <Notice tone="bad">{describeError(rename.error)}</Notice>}
      </form>
    </Dialog>
  );
}
