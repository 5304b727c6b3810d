'use client';
import { Field } from '../ui/field';
import { Input } from '../ui/input';

export const MIN_PASSWORD = 10;

/** @returns the sentence for the field, or null when the password will do */
export function checkPassword(password: string): string | null {
  if (password.length === 0) return 'Choose a password.';
  if (password.length < MIN_PASSWORD)
    return `A password has at least ${MIN_PASSWORD} characters; this has ${password.length}.`;
  return null;
}

export function NewPasswordField(props: {
  value: string;
  onChange: (value: string) => void;
  error: string | null;
  label?: string;
  className?: string;
}) {
  return (
    <Field label={props.label ?? 'New password'} hint={`At least ${MIN_PASSWORD} characters.`} error={props.error}>
      {(control) => (
        <Input
          {...control}
          type="password"
          autoComplete="new-password"
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
          className={props.className}
        />
      )}
    </Field>
  );
}
