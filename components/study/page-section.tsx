'use client';
import { type ReactNode, useRef } from 'react';
import { useHasBeenNear } from '../chart/use-has-been-near';
import { Skeleton } from '../ui/skeleton';

interface PageSectionProps {
  /** After the # in the address. */
  id: string;
  name: string;
  children: ReactNode;
  /** Pixels that stand for it until somebody comes near; absent where it is shown from the start. */
  lazyHeight?: number;
}

/** A section that the page's navigation leads to. One that nobody has come near asks the hub for nothing. */
export function PageSection({ id, name, children, lazyHeight }: PageSectionProps) {
  const target = useRef<HTMLDivElement>(null);
  const hasBeenNear = useHasBeenNear(target, '250px');
  const isShown = lazyHeight === undefined || hasBeenNear;
  return (
    <div ref={target} id={id} className="scroll-mt-26">
      {isShown ? (
        children
      ) : (
        <section aria-label={name}>
          <h2 className="mb-2 font-semibold text-base">{name}</h2>
          <div style={{ height: lazyHeight }}>
            <Skeleton className="h-full max-h-40" />
          </div>
        </section>
      )}
    </div>
  );
}
