'use client';
import { ToggleGroup } from 'radix-ui';
import type { ReactNode } from 'react';
import { cn } from './cn';

interface SegmentedProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  options: readonly { value: T; label: ReactNode; title?: string }[];
  label: string;
  disabled?: boolean;
  className?: string;
}

/** One of a few, all in sight. */
export function Segmented<T extends string>({
  value,
  onChange,
  options,
  label,
  disabled,
  className,
}: SegmentedProps<T>) {
  return (
    <ToggleGroup.Root
      type="single"
      value={value}
      disabled={disabled}
      // A second press on the pressed one would leave none chosen.
      onValueChange={(next) => next && onChange(next as T)}
      aria-label={label}
      className={cn(
        'inline-flex h-8 shrink-0 items-stretch rounded-control border bg-sunken p-0.5 pointer-coarse:h-10',
        className,
      )}
    >
      {options.map((option) => (
        <ToggleGroup.Item
          key={option.value}
          value={option.value}
          title={option.title}
          className="inline-flex items-center gap-1.5 rounded-[4px] px-2.5 text-ink-2 text-xs transition-colors hover:text-ink disabled:opacity-50 data-[state=on]:bg-raised data-[state=on]:font-medium data-[state=on]:text-ink data-[state=on]:shadow-sm data-[state=on]:ring-1 data-[state=on]:ring-line"
        >
          {option.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
