import type { ReactNode } from 'react';

/** A part that scrolls by itself: named, and reachable by keyboard in browsers that do not see to it. */
export function ScrollRegion({
  label,
  className,
  children,
}: {
  label: string;
  className: string;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll it
    <section aria-label={label} tabIndex={0} className={className}>
      {children}
    </section>
  );
}
