import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { cn } from './cn';

interface ChipProps {
  children: ReactNode;
  /** Absent: the chip stays. */
  onRemove?: () => void;
  /** What is removed, for screen readers. */
  name: string;
  invalid?: boolean;
  /** Drawn apart: what an existing study already has. */
  fixed?: boolean;
}

export function Chip({ children, onRemove, name, invalid = false, fixed = false }: ChipProps) {
  return (
    <li
      className={cn(
        'inline-flex min-h-7 max-w-full items-center gap-1 rounded-control border py-0.5 pr-1 pl-2 text-sm pointer-coarse:min-h-9',
        invalid
          ? 'border-bad-line bg-bad-soft'
          : fixed
            ? 'border-line bg-sunken text-ink-2'
            : 'border-accent-line bg-accent-soft',
        !onRemove && 'pr-2',
      )}
    >
      <span className="min-w-0 break-words">{children}</span>
      {onRemove && (
        <button
          type="button"
          aria-label={`Remove ${name}`}
          onClick={onRemove}
          className="inline-flex size-5 shrink-0 items-center justify-center rounded text-ink-3 hover:bg-hover hover:text-ink"
        >
          <X aria-hidden className="size-3.5" />
        </button>
      )}
    </li>
  );
}
