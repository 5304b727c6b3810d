import { type ReactNode, useId } from 'react';
import { cn } from './cn';

interface PanelProps {
  title?: ReactNode;
  /** One line under the title. */
  hint?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  /** Without inner padding, for tables. */
  flush?: boolean;
}

export function Panel({ title, hint, actions, children, className, flush = false }: PanelProps) {
  const id = useId();
  return (
    <section aria-labelledby={title ? id : undefined} className={cn('rounded-panel border bg-surface', className)}>
      {title && (
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 pt-3 pb-2">
          <div className="min-w-0 grow">
            <h2 id={id} className="font-semibold text-base">
              {title}
            </h2>
            {hint && <p className="text-ink-3 text-xs">{hint}</p>}
          </div>
          {actions}
        </div>
      )}
      <div className={cn(!flush && (title ? 'px-4 pt-1 pb-4' : 'p-4'))}>{children}</div>
    </section>
  );
}

/** A heading over something that has its own frame. */
export function Section({ title, hint, actions, children, className }: PanelProps & { title: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={className}>
      <div className="mb-2 flex flex-wrap items-end gap-x-4 gap-y-2">
        <div className="min-w-0 grow">
          <h2 id={id} className="font-semibold text-base">
            {title}
          </h2>
          {hint && <p className="text-ink-3 text-xs">{hint}</p>}
        </div>
        {actions}
      </div>
      {children}
    </section>
  );
}
