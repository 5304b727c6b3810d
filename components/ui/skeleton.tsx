import { cn } from './cn';

/** A grey shape where something will be. */
export const Skeleton = ({ className }: { className?: string }) => (
  <div aria-hidden className={cn('animate-shimmer rounded-control bg-line/60', className)} />
);

/** Rows of a table or list that is being loaded. */
export function SkeletonRows({ rows, label }: { rows: number; label: string }) {
  return (
    <div role="status" aria-label={`Loading ${label}`} className="overflow-hidden rounded-panel border bg-surface">
      <div className="h-8 border-b bg-sunken" />
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: shapes without identity
        <div key={row} className="flex h-12 items-center gap-6 border-b px-3 last:border-b-0">
          <Skeleton className="h-3.5 w-2/5" />
          <Skeleton className="h-3 w-1/6" />
          <Skeleton className="ml-auto h-3 w-20" />
        </div>
      ))}
    </div>
  );
}
