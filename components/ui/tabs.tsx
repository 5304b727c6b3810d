'use client';
import { Tabs as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';

interface TabsProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  tabs: readonly { value: T; label: ReactNode; count?: number }[];
  label: string;
  children: ReactNode;
}

export function Tabs<T extends string>({ value, onChange, tabs, label, children }: TabsProps<T>) {
  return (
    <Primitive.Root value={value} onValueChange={(next) => onChange(next as T)}>
      <Primitive.List aria-label={label} className="-ml-2 flex gap-1 overflow-x-auto border-b pt-1 pl-0.5">
        {tabs.map((tab) => (
          <Primitive.Trigger
            key={tab.value}
            value={tab.value}
            className="-mb-px inline-flex h-8 shrink-0 items-center gap-1.5 rounded-t-md border-transparent border-b-2 px-2 pb-1 text-ink-2 text-sm transition-colors hover:text-ink focus-visible:-outline-offset-2 data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink pointer-coarse:h-11"
          >
            {tab.label}
            {tab.count !== undefined && (
              <span className="num rounded-full bg-sunken px-1.5 text-2xs text-ink-3">{tab.count}</span>
            )}
          </Primitive.Trigger>
        ))}
      </Primitive.List>
      {children}
    </Primitive.Root>
  );
}

export function TabPanel({ value, children }: { value: string; children: ReactNode }) {
  return (
    <Primitive.Content value={value} className="pt-4 outline-none focus-visible:outline-2">
      {children}
    </Primitive.Content>
  );
}
