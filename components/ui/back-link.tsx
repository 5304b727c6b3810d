import { ChevronLeft } from 'lucide-react';
import Link from 'next/link';

/** Up one level, over the page's heading. */
export function BackLink({ href, children }: { href: string; children: string }) {
  return (
    <Link
      href={href}
      className="-ml-1 mb-2 inline-flex max-w-full items-center gap-0.5 rounded-control pr-1 text-ink-3 text-sm hover:text-ink"
    >
      <ChevronLeft aria-hidden className="size-4 shrink-0" />
      <span className="truncate">{children}</span>
    </Link>
  );
}
