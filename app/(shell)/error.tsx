'use client';
import { Bug } from 'lucide-react';
import { useEffect } from 'react';
import { Button, ButtonLink } from '@/components/ui/button';
import { EmptyState } from '@/components/ui/empty-state';

/** A page that threw: the frame stays, the rest can be tried again. */
export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  useEffect(() => {
    console.error(error);
  }, [error]);
  return (
    <div role="alert">
      <h1 className="sr-only">Error</h1>
      <EmptyState
        icon={Bug}
        title="This page ran into a fault"
        actions={
          <>
            <Button variant="primary" onClick={reset}>
              Try again
            </Button>
            <ButtonLink href="/">To the studies</ButtonLink>
          </>
        }
      >
        <p>Your runs are not affected. If it happens again, this is what to report:</p>
        <p className="num mt-2 break-words text-ink-3 text-xs">{error.digest ?? error.message}</p>
      </EmptyState>
    </div>
  );
}
