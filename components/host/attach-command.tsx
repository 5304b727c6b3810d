'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { CopyBlock } from '../ui/copy-button';
import { Field } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';

/** Makes an agent token and shows, once, the command that uses it. */
export function AttachCommand({ onDone }: { onDone: () => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [label, setLabel] = useState('');
  const create = useMutation(
    trpc.tokens.create.mutationOptions({
      onSuccess: () => queryClient.invalidateQueries(trpc.tokens.list.queryFilter()),
    }),
  );
  if (create.data)
    return (
      <>
        <p className="mb-3 text-ink-2 text-sm">
          Run this on <b className="break-words text-ink">{label}</b>, in a checkout of Mealtable. The token is shown
          only now.
        </p>
        <CopyBlock
          label="Copy the command"
          text={`npm run agent -- --hub ${window.location.origin} --token ${create.data.token}`}
        />
        <ul className="mt-4 list-disc space-y-1 pl-5 text-ink-2 text-sm">
          <li>The host appears here as soon as its agent has connected; nothing has to be opened towards it.</li>
          <li>The agent reports the datasets it finds, and takes queued runs for which it has a free slot.</li>
          <li>Anybody with this token can attach a host. Revoke it under Settings, Tokens.</li>
        </ul>
        {['localhost', '127.0.0.1', '[::1]'].includes(window.location.hostname) && (
          <Notice tone="warn" className="mt-4">
            This address leads to the hub only on this computer. For another machine, open this page by an address that
            it can reach, or forward the port over ssh.
          </Notice>
        )}
        <div className="mt-4 flex justify-end">
          <Button variant="primary" onClick={onDone}>
            Done
          </Button>
        </div>
      </>
    );
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate({ kind: 'agent', label: label.trim() });
      }}
    >
      <Field label="Name of the machine" hint="Labels the token, so that you can revoke the right one.">
        {(control) => (
          <Input
            {...control}
            required
            maxLength={100}
            value={label}
            onChange={(event) => setLabel(event.target.value)}
          />
        )}
      </Field>
      {create.isError && <Notice tone="bad">{describeError(create.error)}</Notice>}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" variant="primary" busy={create.isPending}>
          Show the command
        </Button>
      </div>
    </form>
  );
}
