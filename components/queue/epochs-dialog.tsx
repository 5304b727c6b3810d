'use client';
import { Epochs, type OptimizerConfig } from '@mealtable/protocol/run-config';
import type { TableRun } from '@mealtable/protocol/run-query-view';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { plural } from '../format';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { NumberInput } from '../ui/input';
import { Notice } from '../ui/notice';
import { Segmented } from '../ui/segmented';
import { toastDone } from '../ui/toast';

interface EpochsDialogProps {
  studyId: string;
  /** Of the study, each of which trains; none where it is about the whole study. */
  runs: readonly TableRun[];
  onClose: () => void;
  onDone: () => void;
}

/** More epochs: for the whole study unless somebody asks for less, since its table compares runs of one length. */
export function EpochsDialog({ studyId, runs, onClose, onDone }: EpochsDialogProps) {
  const trpc = useTRPC();
  const study = useQuery(trpc.studies.overview.queryOptions({ id: studyId }));
  // Planned networks have epochs of their own, which the study's do not change.
  const mayBeStudy = runs.every((run) => run.role === 'student' || run.role === 'baseline');
  const [scope, setScope] = useState<'study' | 'runs'>(mayBeStudy ? 'study' : 'runs');
  const [text, setText] = useState('');
  const extend = useMutation(
    trpc.runs.extendEpochs.mutationOptions({
      onSuccess: ({ changed, queued }) => {
        toastDone(`${plural(changed, 'run')} got more epochs, ${queued} of them queued again.`);
        onDone();
      },
    }),
  );
  const now = scope === 'study' ? (study.data?.design.epochs ?? 0) : Math.max(...runs.map((run) => run.epochs));
  const parsed = Epochs.safeParse(Number(text));
  const problem =
    text === ''
      ? null
      : !parsed.success
        ? (parsed.error.issues[0]?.message ?? null)
        : parsed.data <= now
          ? `It must be more than the ${now} of now.`
          : null;
  const all = study.data?.comparedCount;
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="More epochs"
      description="Runs that have succeeded are queued again and go on from their latest checkpoints; those under way end their epochs first."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            form="epochs"
            variant="primary"
            busy={extend.isPending}
            disabled={text === '' || problem !== null || !study.data}
          >
            Extend
          </Button>
        </>
      }
    >
      <form
        id="epochs"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          const which = scope === 'study' ? { studyId } : { ids: runs.map((run) => run.id) };
          if (problem === null) extend.mutate({ which, epochs: Number(text) });
        }}
      >
        {mayBeStudy && runs.length > 0 && (
          <Segmented
            label="Which runs"
            value={scope}
            onChange={setScope}
            options={[
              {
                value: 'study',
                label: all === undefined ? 'The whole study' : `The whole study, ${plural(all, 'run')}`,
              },
              { value: 'runs', label: runs.length === 1 ? 'This run' : `These ${runs.length}` },
            ]}
          />
        )}
        <Field label="Epochs in all" hint={`Now ${now}.`} error={problem}>
          {(control) => <NumberInput {...control} value={text} onChange={(event) => setText(event.target.value)} />}
        </Field>
        {scope === 'runs' && mayBeStudy && (
          <Notice tone="warn">
            The study’s table then compares runs of different lengths. Its other runs, and variants that are added
            later, keep {plural(study.data?.design.epochs ?? now, 'epoch')}.
          </Notice>
        )}
        {study.data && <ScheduleNotice schedule={study.data.design.optimizer.schedule} />}
        {extend.isError && <Notice tone="bad">{describeError(extend.error)}</Notice>}
      </form>
    </Dialog>
  );
}

/** What becomes of the learning rate: only a cosine depends on the length. */
function ScheduleNotice({ schedule }: { schedule: OptimizerConfig['schedule'] }) {
  if (schedule.kind !== 'cosine') return null;
  return (
    <Notice tone="warn" title="The learning rate follows a cosine over all epochs">
      A run that goes on jumps up to the longer curve, and one that has not begun follows it from the start: their
      results do not compare exactly. Clone the study with more epochs where that matters.
    </Notice>
  );
}
