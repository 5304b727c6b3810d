'use client';
import { RotateCcw, TriangleAlert } from 'lucide-react';
import { describeError } from '../api-error';
import { Button } from './button';

/** What could not be had, why, and a way to try again. */
export function ErrorState({ what, error, onRetry }: { what: string; error: unknown; onRetry?: () => void }) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-3 rounded-panel border border-bad-line bg-bad-soft px-4 py-3"
    >
      <TriangleAlert aria-hidden className="size-5 shrink-0 text-bad" />
      <div className="min-w-48 grow">
        <p className="font-medium text-sm">{what} could not be loaded</p>
        <p className="text-ink-2 text-sm">{describeError(error)}</p>
      </div>
      {onRetry && (
        <Button onClick={onRetry}>
          <RotateCcw aria-hidden /> Try again
        </Button>
      )}
    </div>
  );
}
