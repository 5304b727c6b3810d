'use client';
import type { UserRole } from '@mealtable/protocol/statuses';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';
import { Select } from '../ui/select';
import { USER_ROLE_WORDS } from '../words';

const ROLES = (['editor', 'viewer', 'owner'] as const).map((role) => ({
  value: role as UserRole,
  label: USER_ROLE_WORDS[role].name,
}));

export function InviteDialog(props: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onInvited: (invited: { link: string; name: string }) => void;
}) {
  const trpc = useTRPC();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<UserRole>('editor');
  const invite = useMutation(
    trpc.members.invite.mutationOptions({
      onSuccess: ({ link }) => {
        props.onInvited({ link, name: name.trim() });
        setName('');
        setEmail('');
      },
    }),
  );
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title="Invite a member"
      description="You get a one-time link to pass on."
      footer={
        <>
          <Button onClick={() => props.onOpenChange(false)}>Cancel</Button>
          <Button type="submit" form="invite" variant="primary" busy={invite.isPending}>
            Make the link
          </Button>
        </>
      }
    >
      <form
        id="invite"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate({ name: name.trim(), email: email.trim(), role });
        }}
      >
        <Field label="Name">
          {(control) => <Input {...control} required value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label="E-mail" hint="What they sign in with.">
          {(control) => (
            <Input
              {...control}
              type="email"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
        <Field label="Role" hint={USER_ROLE_WORDS[role].may}>
          {(control) => <Select {...control} value={role} options={ROLES} onChange={setRole} />}
        </Field>
        {invite.isError && <Notice tone="bad">{describeError(invite.error)}</Notice>}
      </form>
    </Dialog>
  );
}
