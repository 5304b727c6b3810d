import type { ComponentProps, ReactNode } from 'react';
import { cn } from './cn';

/** Scrolls sideways by itself, so that a wide table never widens the page; hidden texts in it are clipped, too. */
export function Table({ className, children, label, ...rest }: ComponentProps<'table'> & { label: string }) {
  return (
    <div className="relative overflow-x-auto rounded-panel border bg-surface">
      <table {...rest} aria-label={label} className={cn('w-full border-collapse text-sm', className)}>
        {children}
      </table>
    </div>
  );
}

export function Th({ className, align, ...rest }: ComponentProps<'th'> & { align?: 'left' | 'right' | 'center' }) {
  return (
    <th
      scope="col"
      {...rest}
      className={cn(
        'h-8 whitespace-nowrap border-b bg-sunken px-2 text-left sm:px-3 font-medium text-ink-3 text-xs',
        align === 'right' && 'text-right',
        align === 'center' && 'text-center',
        className,
      )}
    />
  );
}

export function Td({ className, align, ...rest }: ComponentProps<'td'> & { align?: 'left' | 'right' | 'center' }) {
  return (
    <td
      {...rest}
      className={cn(
        'h-10 px-2 py-1.5 sm:px-3',
        align === 'right' && 'text-right',
        align === 'center' && 'text-center',
        className,
      )}
    />
  );
}

export function Tr({ className, ...rest }: ComponentProps<'tr'>) {
  return <tr {...rest} className={cn('border-b last:border-b-0', className)} />;
}

/** Label and value pairs. */
export function Facts({ children, className }: { children: ReactNode; className?: string }) {
  return <dl className={cn('grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5 text-sm', className)}>{children}</dl>;
}
export function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}
