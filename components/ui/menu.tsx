'use client';
import { DropdownMenu as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';
import { cn } from './cn';

export function Menu({
  trigger,
  children,
  align = 'end',
}: {
  trigger: ReactNode;
  children: ReactNode;
  align?: 'start' | 'end';
}) {
  return (
    // Not modal: the page behind must stay scrollable, and a dialog opened from an item keeps its focus.
    <Primitive.Root modal={false}>
      <Primitive.Trigger asChild>{trigger}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-44 max-w-80 animate-rise rounded-lg border bg-raised p-1 shadow-raised"
        >
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

interface MenuItemProps {
  icon?: ReactNode;
  children: ReactNode;
  onSelect?: () => void;
  disabled?: boolean;
  danger?: boolean;
  /** Renders the only child (a link) as the item. */
  asChild?: boolean;
}
const itemClass =
  'flex min-h-8 w-full select-none items-center gap-2 rounded-[5px] px-2 py-1 text-sm outline-none data-highlighted:bg-hover data-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-3 pointer-coarse:min-h-10';

export function MenuItem({ icon, children, onSelect, disabled, danger, asChild }: MenuItemProps) {
  return (
    <Primitive.Item
      asChild={asChild}
      disabled={disabled}
      onSelect={onSelect}
      className={cn(itemClass, danger && 'text-bad data-highlighted:bg-bad-soft [&_svg]:text-bad')}
    >
      {asChild ? (
        children
      ) : (
        <>
          {icon}
          {children}
        </>
      )}
    </Primitive.Item>
  );
}

export function MenuRadio<T extends string>(props: {
  value: T;
  onChange: (value: T) => void;
  options: readonly { value: T; label: ReactNode; icon?: ReactNode }[];
}) {
  return (
    <Primitive.RadioGroup value={props.value} onValueChange={(next) => props.onChange(next as T)}>
      {props.options.map((option) => (
        <Primitive.RadioItem key={option.value} value={option.value} className={itemClass}>
          {option.icon}
          {option.label}
          <Primitive.ItemIndicator className="ml-auto text-accent">•</Primitive.ItemIndicator>
        </Primitive.RadioItem>
      ))}
    </Primitive.RadioGroup>
  );
}

export const MenuSeparator = () => <Primitive.Separator className="-mx-1 my-1 h-px bg-line" />;
export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <Primitive.Label className="px-2 py-1.5 text-ink-3 text-xs">{children}</Primitive.Label>
);
