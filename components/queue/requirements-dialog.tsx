'use client';
import { HostLabels } from '@mealtable/protocol/host-labels';
import type { TableRun } from '@mealtable/protocol/run-query-view';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { plural } from '../format';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Input, NumberInput } from '../ui/input';
import { Notice } from '../ui/notice';
import { toastDone } from '../ui/toast';

const GIB = 1024 ** 3;

interface RequirementsDialogProps {
  runs: readonly TableRun[];
  onClose: () => void;
  onDone: () => void;
}

/** What hosts must have to get these runs. It starts with what they have in common. */
export function RequirementsDialog({ runs, onClose, onDone }: RequirementsDialogProps) {
  const trpc = useTRPC();
  const common = <T,>(of: (run: TableRun) => T, none: T): T => {
    const [first] = runs;
    return first && runs.every((run) => String(of(run)) === String(of(first))) ? of(first) : none;
  };
  const [labels, setLabels] = useState(() => common((run) => run.requiredLabels, []).join(', '));
  const memory = common((run) => run.requiredMemory, null);
  const [gib, setGib] = useState(memory === null ? '' : String(Number((memory / GIB).toFixed(2))));
  const hosts = useQuery(trpc.hosts.list.queryOptions());
  const known = [...new Set(hosts.data?.flatMap((host) => [...host.labels, ...host.offeredLabels]))].sort();
  const require = useMutation(
    trpc.runs.setRequirements.mutationOptions({
      onSuccess: ({ changed }) => {
        toastDone(`Requirements of ${plural(changed, 'run')} changed.`);
        onDone();
      },
    }),
  );
  const parsed = HostLabels.safeParse(labels.split(/[\s,]+/).filter(Boolean));
  const labelProblem = parsed.success ? null : (parsed.error.issues[0]?.message ?? 'These labels cannot be read.');
  const bytes = gib.trim() === '' ? null : Math.round(Number(gib.replace(',', '.')) * GIB);
  const memoryProblem = bytes === null || bytes >= 1 ? null : 'Memory is a number above 0, or empty for any.';
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`What ${plural(runs.length, 'run')} ${runs.length === 1 ? 'needs' : 'need'} of a host`}
      description="It counts from the next time a host takes the run; what is training goes on."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            form="requirements"
            variant="primary"
            busy={require.isPending}
            disabled={labelProblem !== null || memoryProblem !== null}
          >
            Save
          </Button>
        </>
      }
    >
      <form
        id="requirements"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!parsed.success || memoryProblem !== null) return;
          require.mutate({ ids: runs.map((run) => run.id), labels: parsed.data, memoryBytes: bytes });
        }}
      >
        <Field
          label="Labels"
          optional
          error={labelProblem}
          hint={
            known.length > 0
              ? `Separated by commas; a host must have all of them. There are: ${known.join(', ')}.`
              : 'Separated by commas; a host must have all of them. No host has labels yet.'
          }
        >
          {(control) => (
            <Input {...control} value={labels} onChange={(event) => setLabels(event.target.value)} placeholder="a100" />
          )}
        </Field>
        <Field
          label="Memory of a slot, GiB"
          optional
          error={memoryProblem}
          hint="Of its GPU, or of the host where there is none; slots that share one share its memory."
        >
          {(control) => <NumberInput {...control} value={gib} onChange={(event) => setGib(event.target.value)} />}
        </Field>
        {require.isError && <Notice tone="bad">{describeError(require.error)}</Notice>}
      </form>
    </Dialog>
  );
}
