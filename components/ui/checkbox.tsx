'use client';
import { Check, Minus } from 'lucide-react';
import { Checkbox as Primitive } from 'radix-ui';
import { type ReactNode, useId } from 'react';
import { cn } from './cn';

interface CheckboxProps {
  checked: boolean | 'indeterminate';
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  className?: string;
  'aria-label'?: string;
  id?: string;
}

export function Checkbox({ checked, onChange, className, ...rest }: CheckboxProps) {
  return (
    <Primitive.Root
      {...rest}
      checked={checked}
      onCheckedChange={(next) => onChange(next === true)}
      className={cn(
        'inline-flex size-4 align-middle shrink-0 items-center justify-center rounded-[4px] border border-ink-3/70 bg-surface transition-colors hover:border-ink-2 disabled:opacity-50',
        'data-[state=checked]:border-accent data-[state=indeterminate]:border-accent data-[state=checked]:bg-accent data-[state=indeterminate]:bg-accent',
        className,
      )}
    >
      <Primitive.Indicator className="text-on-accent">
        {checked === 'indeterminate' ? (
          <Minus aria-hidden className="size-3" strokeWidth={3} />
        ) : (
          <Check aria-hidden className="size-3" strokeWidth={3} />
        )}
      </Primitive.Indicator>
    </Primitive.Root>
  );
}

export function LabelledCheckbox({ label, hint, ...rest }: CheckboxProps & { label: ReactNode; hint?: ReactNode }) {
  const id = useId();
  return (
    <div className="flex items-start gap-2 py-0.5 pointer-coarse:py-2">
      <Checkbox {...rest} id={id} className="mt-0.5" />
      <label htmlFor={id} className="min-w-0 text-sm">
        {label}
        {hint && <span className="block text-ink-3 text-xs">{hint}</span>}
      </label>
    </div>
  );
}
