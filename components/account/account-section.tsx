'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';
import { Panel } from '../ui/panel';
import { Skeleton } from '../ui/skeleton';
import { toastDone } from '../ui/toast';
import { USER_ROLE_WORDS } from '../words';
import { checkPassword, NewPasswordField } from './password-fields';
import { useMe } from './use-me';

export function AccountSection() {
  const { me } = useMe();
  if (!me) return <Skeleton className="h-64 max-w-xl" />;
  return (
    <div className="max-w-xl space-y-4">
      <Panel>
        <p className="font-semibold">{me.name}</p>
        <p className="text-ink-2 text-sm">{me.email}</p>
        <p className="mt-2 text-ink-2 text-sm">
          {USER_ROLE_WORDS[me.role].name}: {USER_ROLE_WORDS[me.role].may}
        </p>
      </Panel>
      <PasswordForm hasPassword={me.hasPassword} needsOld={me.needsOldPassword} />
    </div>
  );
}

/** @param needsOld not for a member who has just come by a one-time link and may have forgotten it */
function PasswordForm({ hasPassword, needsOld }: { hasPassword: boolean; needsOld: boolean }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [oldPassword, setOldPassword] = useState('');
  const [password, setPassword] = useState('');
  const [isTried, setTried] = useState(false);
  const save = useMutation(
    trpc.me.setPassword.mutationOptions({
      onSuccess: async () => {
        setOldPassword('');
        setPassword('');
        setTried(false);
        toastDone('The password is changed.');
        await queryClient.invalidateQueries(trpc.me.get.queryFilter());
      },
    }),
  );
  const problem = checkPassword(password);
  return (
    <Panel title={hasPassword ? 'Change the password' : 'Choose a password'}>
      <form
        className="max-w-xs space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!problem) save.mutate({ password, ...(needsOld && { oldPassword }) });
        }}
      >
        {needsOld && (
          <Field label="Present password">
            {(control) => (
              <Input
                {...control}
                type="password"
                autoComplete="current-password"
                required
                value={oldPassword}
                onChange={(event) => setOldPassword(event.target.value)}
              />
            )}
          </Field>
        )}
        <NewPasswordField value={password} onChange={setPassword} error={isTried ? problem : null} />
        {save.isError && <Notice tone="bad">{describeError(save.error)}</Notice>}
        <Button type="submit" variant="primary" busy={save.isPending}>
          {hasPassword ? 'Change password' : 'Save password'}
        </Button>
      </form>
    </Panel>
  );
}
