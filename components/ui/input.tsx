import type { ComponentProps } from 'react';
import { cn } from './cn';

export const controlClass =
  'w-full rounded-control border border-line-strong bg-surface px-2.5 text-sm text-ink transition-colors hover:border-ink-3/60 ' +
  'focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0 disabled:bg-sunken disabled:text-ink-3 ' +
  'disabled:hover:border-line-strong aria-invalid:border-bad aria-invalid:focus-visible:outline-bad pointer-coarse:text-base';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return (
    <input
      autoComplete="off"
      spellCheck={false}
      {...rest}
      className={cn(controlClass, 'h-8 pointer-coarse:h-10', className)}
    />
  );
}

/** Text of a number: the form parses it, so that "1e-3" and an empty field are possible while typing. */
export function NumberInput({ className, ...rest }: ComponentProps<'input'>) {
  return <Input inputMode="decimal" {...rest} className={cn('num', className)} />;
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea {...rest} className={cn(controlClass, 'min-h-16 resize-y py-1.5', className)} />;
}
