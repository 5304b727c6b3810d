'use client';
import { useState } from 'react';
import { safeNextPath } from '../go-to-sign-in';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';

/** @returns null when signed in, otherwise the sentence that says why not */
async function signIn(email: string, password: string): Promise<string | null> {
  let reply: Response;
  try {
    reply = await fetch('/api/auth/sign-in/email', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password, rememberMe: true }),
    });
  } catch {
    return 'The hub does not answer. Check that it runs.';
  }
  if (reply.ok) return null;
  if (reply.status === 429) return 'Too many tries. Wait a minute, then try again.';
  if (reply.status === 403)
    return 'The hub does not accept sign-in from this address. Open it by the address it prints.';
  if (reply.status >= 500) return 'The hub ran into a fault of its own. Its log says more.';
  return 'This e-mail address and password do not belong together.';
}

export function SignInForm({ next, linkError }: { next: string | null; linkError: string | null }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async () => {
    setBusy(true);
    setProblem(null);
    const refused = await signIn(email.trim(), password);
    // A full load: the new session must not meet answers cached for the old one.
    if (refused === null) window.location.assign(safeNextPath(next));
    else {
      setProblem(refused);
      setBusy(false);
    }
  };

  return (
    <>
      <h1 className="font-semibold text-xl tracking-tight">Sign in</h1>
      <p className="mt-1 mb-5 text-ink-2 text-sm">To your studies and runs.</p>
      {linkError && (
        <Notice tone="warn" title="That link no longer works" className="mb-4">
          Each link signs in once and for a limited time. Sign in with your password, or ask for a new link.
        </Notice>
      )}
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field label="E-mail">
          {(control) => (
            <Input
              {...control}
              type="email"
              name="email"
              autoComplete="username"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
              className="h-10"
            />
          )}
        </Field>
        <Field label="Password">
          {(control) => (
            <Input
              {...control}
              type="password"
              name="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              className="h-10"
            />
          )}
        </Field>
        {problem && <Notice tone="bad">{problem}</Notice>}
        <Button type="submit" variant="primary" size="lg" busy={isBusy} className="w-full">
          Sign in
        </Button>
      </form>
      <div className="mt-8 border-t pt-4 text-ink-2 text-sm">
        <h2 className="font-medium text-ink">No password yet, or forgotten?</h2>
        <p className="mt-1">
          <code className="rounded bg-sunken px-1 py-0.5 text-xs">npm start</code> prints a one-time link that signs the
          owner in. Members get theirs from the owner, under Settings.
        </p>
      </div>
    </>
  );
}
