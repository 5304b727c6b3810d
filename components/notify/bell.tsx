'use client';
import { Bell as BellIcon, BellOff } from 'lucide-react';
import { usePathname } from 'next/navigation';
import { useState } from 'react';
import { Button } from '../ui/button';
import { Disclosure } from '../ui/disclosure';
import { ErrorState } from '../ui/error-state';
import { Popover } from '../ui/popover';
import { SkeletonRows } from '../ui/skeleton';
import { BrowserSwitches } from './browser-switches';
import { EventRow } from './event-row';
import { changeNotifySettings } from './notify-settings';
import { useNotices } from './use-notices';

/** What happened lately that somebody may have to act on. */
export function Bell() {
  const path = usePathname();
  const { query, unread, seenId, newestId } = useNotices();
  const [isOpen, setOpen] = useState(false);
  const [seenBefore, setSeenBefore] = useState<number | null>(null);
  const [showsSettings, setShowsSettings] = useState(false);
  const open = (next: boolean) => {
    setOpen(next);
    // Also with what came while it was open.
    if (newestId !== null) changeNotifySettings({ seenId: newestId });
    if (next) setSeenBefore(seenId);
  };
  const name = unread === 0 ? 'Notices' : `Notices, ${unread} new`;
  return (
    <Popover
      label="Notices"
      open={isOpen}
      onOpenChange={open}
      trigger={
        <Button variant="ghost" aria-label={name} title={name} className="relative w-8 px-0 pointer-coarse:w-10">
          <BellIcon aria-hidden />
          {unread > 0 && (
            <span
              aria-hidden
              className="num absolute -top-0.5 left-2 flex h-3.5 min-w-3.5 items-center justify-center rounded-full bg-accent px-1 font-semibold text-[0.625rem] text-on-accent leading-none"
            >
              {unread > 9 ? '9+' : unread}
            </span>
          )}
        </Button>
      }
    >
      <h2 className="px-2 font-semibold text-base">Notices</h2>
      <p className="px-2 text-ink-3 text-xs">Studies that finished, runs that failed, hosts that were lost.</p>
      <div className="mt-2">
        {query.isPending && <SkeletonRows rows={3} label="notices" />}
        {query.isError && <ErrorState what="The notices" error={query.error} onRetry={() => void query.refetch()} />}
        {query.data?.length === 0 && (
          <p className="flex items-center gap-2 px-2 py-3 text-ink-2 text-sm">
            <BellOff aria-hidden className="size-4 text-ink-3" /> Nothing to report yet.
          </p>
        )}
        {query.data && query.data.length > 0 && (
          <ul className="max-h-96 overflow-y-auto">
            {query.data.map((event) => (
              <EventRow
                key={event.id}
                event={event}
                withStudy
                here={path}
                isUnread={seenBefore !== null && event.id > seenBefore}
                onOpen={() => setOpen(false)}
              />
            ))}
          </ul>
        )}
      </div>
      <div className="mt-2 border-t px-2 pt-2.5">
        <Disclosure
          label="Notify me in this browser"
          isOpen={showsSettings}
          onToggle={() => setShowsSettings(!showsSettings)}
        />
        {showsSettings && <BrowserSwitches />}
      </div>
    </Popover>
  );
}
