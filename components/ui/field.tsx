'use client';
import { CircleAlert } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { cn } from './cn';

export interface FieldControl {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: true;
}

interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | null;
  /** Where problems of the design point to; the summary at the button jumps here. */
  path?: string;
  optional?: boolean;
  className?: string;
  children: (control: FieldControl) => ReactNode;
}

/** One labelled control with its hint and its problem, wired for screen readers. */
export function Field({ label, hint, error, path, optional, className, children }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className={cn('min-w-0', className)} data-path={path}>
      <label htmlFor={id} className="mb-1 flex items-baseline gap-1.5 font-medium text-ink-2 text-xs">
        {label}
        {optional && <span className="font-normal text-ink-3">optional</span>}
      </label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-ink-3 text-xs">
          {hint}
        </p>
      )}
      <FieldError id={`${id}-error`} message={error} />
    </div>
  );
}

export function FieldError({ id, message }: { id?: string; message: string | null | undefined }) {
  if (!message) return null;
  return (
    <p id={id} className="mt-1 flex items-start gap-1 text-bad text-xs">
      <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
      <span>{message}</span>
    </p>
  );
}

/** Several controls under one heading, for screen readers a group. */
export function FieldGroup({
  label,
  hint,
  error,
  path,
  className,
  children,
}: Omit<FieldProps, 'children'> & { children: ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    // A fieldset cannot be laid out as a grid child in every browser; the role says the same.
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div
      role="group"
      aria-labelledby={id}
      aria-describedby={described || undefined}
      className={cn('min-w-0', className)}
      data-path={path}
    >
      <div id={id} className="mb-1 font-medium text-ink-2 text-xs">
        {label}
      </div>
      {children}
      {hint && (
        <p id={`${id}-hint`} className="mt-1.5 text-ink-3 text-xs">
          {hint}
        </p>
      )}
      <FieldError id={`${id}-error`} message={error} />
    </div>
  );
}
