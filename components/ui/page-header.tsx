'use client';
import { type ReactNode, useEffect } from 'react';

/** The page's one first-level heading, with what can be done here. Also names the browser tab. */
export function PageHeader({
  title,
  documentTitle,
  lead,
  badges,
  actions,
}: {
  title: ReactNode;
  documentTitle?: string;
  lead?: ReactNode;
  badges?: ReactNode;
  actions?: ReactNode;
}) {
  useEffect(() => {
    if (documentTitle) document.title = `${documentTitle} · Mealtable`;
  }, [documentTitle]);
  return (
    <header className="mb-6 flex flex-wrap items-start gap-x-6 gap-y-3">
      <div className="min-w-0 grow basis-80">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <h1 className="min-w-0 text-pretty break-words font-semibold text-xl tracking-tight">{title}</h1>
          {badges}
        </div>
        {lead && <div className="mt-1 text-ink-2 text-sm">{lead}</div>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}
