'use client';
import { ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { cn } from './cn';

interface DisclosureProps {
  label: string;
  /** What is set inside, in sight while it is closed. */
  summary?: string;
  isOpen: boolean;
  onToggle: () => void;
  className?: string;
}

/** The button that opens what most do not need; what it opens stands behind it. */
export function Disclosure({ label, summary, isOpen, onToggle, className }: DisclosureProps): ReactNode {
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      onClick={onToggle}
      className={cn(
        'inline-flex max-w-full items-baseline gap-1 rounded-control text-left text-ink-2 text-xs hover:text-ink',
        className,
      )}
    >
      <ChevronRight
        aria-hidden
        className={cn('size-3.5 shrink-0 self-center transition-transform', isOpen && 'rotate-90')}
      />
      {label}
      {summary && !isOpen && <span className="ml-1.5 min-w-0 break-words text-ink-3">{summary}</span>}
    </button>
  );
}
