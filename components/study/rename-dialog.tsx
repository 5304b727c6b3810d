'use client';
import { StudyName } from '@mealtable/protocol/study-design';
import type { StudyView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Input, Textarea } from '../ui/input';
import { Notice } from '../ui/notice';

interface RenameDialogProps {
  study: StudyView;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

export function RenameDialog(props: RenameDialogProps) {
  // Mounted only while open, so that it always begins with the present name.
  return props.open ? <OpenDialog {...props} /> : null;
}

function OpenDialog({ study, open, onOpenChange }: RenameDialogProps) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [name, setName] = useState(study.name);
  const [notes, setNotes] = useState(study.notes);
  const parsed = StudyName.safeParse(name);
  const rename = useMutation(
    trpc.studies.rename.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries(trpc.studies.get.queryFilter({ id: study.id }));
        onOpenChange(false);
      },
    }),
  );
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Rename and notes"
      footer={
        <>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
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
          if (parsed.success) rename.mutate({ id: study.id, name: parsed.data, notes });
        }}
      >
        <Field label="Name" error={parsed.success ? null : parsed.error.issues[0]?.message}>
          {(control) => <Input {...control} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label="Notes" optional>
          {(control) => (
            <Textarea {...control} rows={4} value={notes} onChange={(event) => setNotes(event.target.value)} />
          )}
        </Field>
        {rename.isError && <Notice tone="bad">{describeError(rename.error)}</Notice>}
      </form>
    </Dialog>
  );
}
