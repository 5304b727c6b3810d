'use client';
import { Check, ChevronDown } from 'lucide-react';
import { Select as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';
import { cn } from './cn';
import type { FieldControl } from './field';
import { controlClass } from './input';

export interface Option<T extends string> {
  value: T;
  label: ReactNode;
  /** Second line or right-hand remark. */
  detail?: ReactNode;
  disabled?: boolean;
}
interface SelectProps<T extends string> extends Partial<FieldControl> {
  value: T | undefined;
  onChange: (value: T) => void;
  options: readonly Option<T>[];
  placeholder?: string;
  disabled?: boolean;
  className?: string;
  'aria-label'?: string;
}

export function Select<T extends string>(props: SelectProps<T>) {
  const { value, onChange, options, placeholder = 'Choose…', disabled, className, ...control } = props;
  const chosen = options.find((option) => option.value === value);
  return (
    <Primitive.Root value={value ?? ''} onValueChange={(next) => onChange(next as T)} disabled={disabled}>
      <Primitive.Trigger
        {...control}
        className={cn(
          controlClass,
          'inline-flex h-8 items-center justify-between gap-2 text-left data-placeholder:text-ink-3 pointer-coarse:h-10',
          className,
        )}
      >
        <span className="truncate">
          <Primitive.Value placeholder={placeholder}>{chosen?.label}</Primitive.Value>
        </span>
        <ChevronDown aria-hidden className="size-3.5 shrink-0 text-ink-3" />
      </Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          position="popper"
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-(--radix-select-content-available-height) min-w-(--radix-select-trigger-width) max-w-[calc(100vw-16px)] animate-rise overflow-hidden rounded-lg border bg-raised shadow-raised"
        >
          <Primitive.Viewport className="p-1">
            {options.map((option) => (
              <Primitive.Item
                key={option.value}
                value={option.value}
                disabled={option.disabled}
                className="relative flex min-h-8 select-none items-center gap-3 rounded-[5px] py-1 pr-3 pl-7 text-sm outline-none data-disabled:opacity-50 data-highlighted:bg-hover"
              >
                <Primitive.ItemIndicator className="absolute left-2">
                  <Check aria-hidden className="size-3.5 text-accent" />
                </Primitive.ItemIndicator>
                <Primitive.ItemText>{option.label}</Primitive.ItemText>
                {option.detail && <span className="ml-auto text-ink-3 text-xs">{option.detail}</span>}
              </Primitive.Item>
            ))}
          </Primitive.Viewport>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
