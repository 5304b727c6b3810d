import { Skeleton } from '../../ui/skeleton';

export function FormSkeleton() {
  return (
    <div role="status" aria-label="Loading the form" className="grid gap-6 xl:grid-cols-[minmax(0,1fr)_400px]">
      <div className="space-y-4">
        <Skeleton className="h-44" />
        <Skeleton className="h-36" />
        <Skeleton className="h-36" />
      </div>
      <Skeleton className="h-72" />
    </div>
  );
}
