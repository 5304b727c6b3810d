'use client';
import { HostLabel, HostLabels } from '@mealtable/protocol/host-labels';
import type { HostView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useTRPC } from '../trpc-provider';
import { Button, IconButton } from '../ui/button';
import { Chip } from '../ui/chip';
import { FieldError } from '../ui/field';
import { Input } from '../ui/input';
import { toastError } from '../ui/toast';

/** Labels given here, to be added and taken away, beside those that the agent offers. */
export function HostLabelsEditor({ host, canEdit }: { host: HostView; canEdit: boolean }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [text, setText] = useState<string | null>(null);
  const change = useMutation(
    trpc.hosts.setLabels.mutationOptions({
      onSuccess: () => setText(null),
      onSettled: () => queryClient.invalidateQueries(trpc.hosts.list.queryFilter()),
      onError: (error) => toastError('The labels were not changed', error),
    }),
  );
  const set = (labels: string[]) => change.mutate({ id: host.id, labels });
  const typed = (text ?? '').trim().toLowerCase();
  const parsed = HostLabel.safeParse(typed);
  const all = HostLabels.safeParse([...host.labels, typed]);
  const fault = parsed.error ?? all.error;
  const problem = typed === '' ? null : (fault?.issues[0]?.message ?? null);
  const isEmpty = host.labels.length + host.offeredLabels.length === 0;
  return (
    <div>
      <h3 className="mb-1.5 font-medium text-ink-2 text-xs">Labels</h3>
      <ul className="flex flex-wrap items-center gap-1.5">
        {isEmpty && text === null && <li className="text-ink-3 text-sm">None</li>}
        {host.offeredLabels.map((label) => (
          <Chip key={`offered ${label}`} name={label} fixed>
            <span title="Offered by its agent">{label}</span>
          </Chip>
        ))}
        {host.labels.map((label) => (
          <Chip
            key={label}
            name={label}
            {...(canEdit && { onRemove: () => set(host.labels.filter((other) => other !== label)) })}
          >
            {label}
          </Chip>
        ))}
        {canEdit && text === null && (
          <li>
            <IconButton label={`Add a label to ${host.name}`} size="sm" onClick={() => setText('')}>
              <Plus aria-hidden />
            </IconButton>
          </li>
        )}
      </ul>
      {text !== null && (
        <form
          className="mt-2 flex max-w-sm gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (typed !== '' && problem === null) set([...host.labels, typed]);
          }}
        >
          <Input
            autoFocus
            aria-label={`New label of ${host.name}`}
            aria-invalid={problem !== null}
            placeholder="a100"
            className="h-7"
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && setText(null)}
          />
          <Button size="sm" type="submit" busy={change.isPending} disabled={typed === '' || problem !== null}>
            Add
          </Button>
          <Button size="sm" variant="ghost" onClick={() => setText(null)}>
            Cancel
          </Button>
        </form>
      )}
      <FieldError message={problem} />
    </div>
  );
}
