'use client';
import type { Completion } from '@mealtable/protocol/run-query-complete';
import { useEffect, useRef } from 'react';
import { cn } from '../ui/cn';

const HEADINGS: Record<Completion['wants'], string> = {
  field: 'Fields',
  comparison: 'Comparisons',
  value: 'Values',
  connective: 'And then',
};

interface FilterOptionsProps {
  /** Of the box that they belong to. */
  id: string;
  completion: Completion;
  /** -1 for none. */
  active: number;
  onPick: (index: number) => void;
  onPoint: (index: number) => void;
}

/** What can be written next, below the box; the cursor stays in the box. */
export function FilterOptions({ id, completion, active, onPick, onPoint }: FilterOptionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector(`[data-index="${active}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div className="absolute top-full left-0 z-40 mt-1 w-full min-w-64 max-w-xl animate-rise rounded-lg border bg-raised shadow-raised">
      <p aria-hidden className="px-3 pt-2 pb-0.5 font-medium text-2xs text-ink-3">
        {HEADINGS[completion.wants]}
      </p>
      <div
        ref={list}
        role="listbox"
        id={`${id}-list`}
        aria-label={HEADINGS[completion.wants]}
        tabIndex={-1}
        className="max-h-72 overflow-y-auto p-1"
      >
        {completion.options.map((option, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the box has the keys
          <div
            key={option.text}
            id={`${id}-${index}`}
            data-index={index}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            // Before the box loses the focus, which closes the list.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onPick(index)}
            onMouseMove={() => index !== active && onPoint(index)}
            className={cn(
              'flex min-h-7 cursor-default select-none items-baseline gap-4 rounded-[5px] px-2 py-1 text-sm pointer-coarse:min-h-10',
              index === active && 'bg-hover',
            )}
          >
            <span className="min-w-0 break-words font-mono">{option.label}</span>
            <span className="ml-auto text-right text-ink-3 text-xs">{option.detail}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
