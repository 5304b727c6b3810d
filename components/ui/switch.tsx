'use client';
import { Switch as Primitive } from 'radix-ui';
import { type ReactNode, useId } from 'react';

interface SwitchProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: ReactNode;
  hint?: ReactNode;
  disabled?: boolean;
}

/** A setting that takes effect at once. */
export function Switch({ checked, onChange, label, hint, disabled }: SwitchProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5">
      <Primitive.Root
        id={id}
        checked={checked}
        onCheckedChange={onChange}
        disabled={disabled}
        className="relative mt-px inline-flex h-4.5 w-8 shrink-0 items-center rounded-full bg-fill-muted transition-colors disabled:opacity-50 data-[state=checked]:bg-accent"
      >
        <Primitive.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-white shadow-sm transition-transform data-[state=checked]:translate-x-4 dark:data-[state=checked]:bg-on-accent" />
      </Primitive.Root>
      <label htmlFor={id} className="min-w-0 text-sm">
        {label}
        {hint && <span className="block text-ink-3 text-xs">{hint}</span>}
      </label>
    </div>
  );
}
