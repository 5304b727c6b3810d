'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { describeError, problemAt } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button, ButtonLink } from '../ui/button';
import { Field } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';
import { checkPassword, NewPasswordField } from './password-fields';
import { useMe } from './use-me';

/** After the one-time link: a name and a password, so that the next visit needs no link. */
export function WelcomeForm() {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const { me } = useMe();
  const [name, setName] = useState<string | null>(null);
  const [email, setEmail] = useState<string | null>(null);
  const [password, setPassword] = useState('');
  const [isTried, setTried] = useState(false);
  const save = useMutation(
    trpc.me.setPassword.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries(trpc.me.get.queryFilter());
        router.push('/');
      },
    }),
  );
  const shownName = name ?? me?.name ?? '';
  // The first owner's address is made up until they give a real one.
  const shownEmail = email ?? (me && !me.email.endsWith('.local') ? me.email : '');
  const emailProblem = shownEmail.trim() === '' ? 'Give the address that you will sign in with.' : null;
  const passwordProblem = checkPassword(password);
  const nameProblem = shownName.trim() === '' ? 'Say what others call you.' : null;

  return (
    <>
      <h1 className="font-semibold text-xl tracking-tight">Welcome to Mealtable</h1>
      <p className="mt-1 mb-5 text-ink-2 text-sm">
        You are signed in. The link works only once: choose a password for the next time.
      </p>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!passwordProblem && !nameProblem && !emailProblem)
            save.mutate({ password, name: shownName.trim(), email: shownEmail.trim() });
        }}
      >
        <Field label="Your name" error={isTried ? nameProblem : null}>
          {(control) => (
            <Input
              {...control}
              autoComplete="name"
              value={shownName}
              onChange={(event) => setName(event.target.value)}
              className="h-10"
            />
          )}
        </Field>
        <Field
          label="E-mail"
          hint="What you sign in with. Mealtable sends no mail."
          error={problemAt(save.error, 'email') ?? (isTried ? emailProblem : null)}
        >
          {(control) => (
            <Input
              {...control}
              type="email"
              autoComplete="username"
              value={shownEmail}
              onChange={(event) => setEmail(event.target.value)}
              className="h-10"
            />
          )}
        </Field>
        <NewPasswordField
          label="Password"
          value={password}
          onChange={setPassword}
          error={isTried ? passwordProblem : null}
          className="h-10"
        />
        {save.isError && !problemAt(save.error, 'email') && <Notice tone="bad">{describeError(save.error)}</Notice>}
        <div className="flex gap-2">
          <Button type="submit" variant="primary" size="lg" busy={save.isPending} className="grow">
            Save and go on
          </Button>
          <ButtonLink href="/" size="lg" variant="ghost">
            Later
          </ButtonLink>
        </div>
      </form>
    </>
  );
}
