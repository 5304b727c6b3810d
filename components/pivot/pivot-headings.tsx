import type { ComponentProps, ReactNode } from 'react';
import { cn } from '../ui/cn';

/** Names stay in sight while the rest scrolls. Collapsed borders do not scroll with a cell: a shadow stands for its edge. */
export const STICKY = 'sticky left-0 z-10 shadow-[1px_0_0_var(--line)]';

export function LevelName({ text, isReference }: { text: string; isReference: boolean }) {
  return (
    <span className="inline-flex max-w-56 flex-wrap items-center gap-x-1.5 gap-y-0.5">
      <span className="line-clamp-4 min-w-0 [overflow-wrap:anywhere]" title={text}>
        {text}
      </span>
      {isReference && (
        <span className="text-ink-3 text-2xs" title="The reference variant has this level">
          ref<span className="sr-only">erence level</span>
        </span>
      )}
    </span>
  );
}

export function RowHeading({ className, ...rest }: ComponentProps<'th'>) {
  return (
    <th
      scope="row"
      {...rest}
      className={cn(
        'min-w-24 max-w-60 sm:min-w-36 bg-surface px-2 py-2 text-left align-top font-normal text-sm sm:px-3',
        className,
      )}
    />
  );
}

export const PivotHeading = ({ columns, children }: { columns: number; children: ReactNode }) => (
  <tr>
    <th
      scope="colgroup"
      colSpan={columns}
      className="border-y bg-sunken/60 px-2 py-1.5 text-left font-semibold text-ink-2 text-xs sm:px-3"
    >
      <span className="sticky left-3">{children}</span>
    </th>
  </tr>
);
