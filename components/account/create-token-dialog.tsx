'use client';
import type { TokenKind } from '@mealtable/protocol/statuses';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { CopyBlock } from '../ui/copy-button';
import { Dialog } from '../ui/dialog';
import { Field, FieldGroup } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';
import { Segmented } from '../ui/segmented';

interface CreateTokenDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onCreated: () => void;
}

export function CreateTokenDialog({ open, onOpenChange, onCreated }: CreateTokenDialogProps) {
  const trpc = useTRPC();
  const [kind, setKind] = useState<TokenKind>('program');
  const [role, setRole] = useState<'editor' | 'viewer'>('viewer');
  const [label, setLabel] = useState('');
  const create = useMutation(trpc.tokens.create.mutationOptions({ onSuccess: onCreated }));
  const close = (next: boolean) => {
    onOpenChange(next);
    if (!next) {
      create.reset();
      setLabel('');
    }
  };
  if (create.data)
    return (
      <Dialog
        open={open}
        onOpenChange={close}
        title="Your new token"
        description="Copy it now: it is stored only as a hash and cannot be shown again."
        footer={
          <Button variant="primary" onClick={() => close(false)}>
            Done
          </Button>
        }
      >
        <CopyBlock text={create.data.token} label="Copy the token" />
        <p className="mt-3 text-ink-2 text-sm">
          {kind === 'agent'
            ? 'An agent takes it as --token.'
            : 'Send it as the header “Authorization: Bearer <token>”.'}
        </p>
      </Dialog>
    );
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      title="Create a token"
      footer={
        <>
          <Button onClick={() => close(false)}>Cancel</Button>
          <Button type="submit" form="create-token" variant="primary" busy={create.isPending}>
            Create the token
          </Button>
        </>
      }
    >
      <form
        id="create-token"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(kind === 'program' ? { kind, label: label.trim(), role } : { kind, label: label.trim() });
        }}
      >
        <Field label="Label" hint="To tell it from others: the machine or script that uses it.">
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
        <FieldGroup label="Kind">
          <Segmented
            label="Kind"
            value={kind}
            onChange={setKind}
            options={[
              { value: 'program', label: 'Program' },
              { value: 'agent', label: 'Agent' },
            ]}
          />
        </FieldGroup>
        {kind === 'program' && (
          <FieldGroup
            label="May"
            hint={
              role === 'viewer' ? 'Read everything, download checkpoints.' : 'Also create studies and control runs.'
            }
          >
            <Segmented
              label="May"
              value={role}
              onChange={setRole}
              options={[
                { value: 'viewer', label: 'Read' },
                { value: 'editor', label: 'Read and write' },
              ]}
            />
          </FieldGroup>
        )}
        {create.isError && <Notice tone="bad">{describeError(create.error)}</Notice>}
      </form>
    </Dialog>
  );
}
