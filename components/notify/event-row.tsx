'use client';
import { describeEvent, EVENT_KINDS, type EventView, pathOfEvent } from '@mealtable/protocol/events';
import Link from 'next/link';
import { useIsShared } from '../share/shared-context';
import { cn } from '../ui/cn';
import { RelativeTime } from '../ui/time';
import { EventIcon } from './event-icon';

interface EventRowProps {
  event: EventView;
  /** Left out on the study's own page. */
  withStudy?: boolean;
  isUnread?: boolean;
  /** The page that is open: no link leads to where one is. */
  here?: string;
  onOpen?: () => void;
}

/** One event: what happened, and when. */
export function EventRow({ event, withStudy = false, isUnread = false, here, onOpen }: EventRowProps) {
  const isShared = useIsShared();
  const path = isShared ? null : pathOfEvent(event);
  const time = (
    <span className="shrink-0 pt-px text-ink-3 text-xs">
      <RelativeTime at={event.at} />
    </span>
  );
  const content = (
    <>
      <EventIcon kind={event.kind} />
      <span className="min-w-0 grow">
        {withStudy && (
          <span className="flex items-baseline gap-2">
            <span className="min-w-0 grow truncate font-medium" title={event.studyName ?? undefined}>
              {event.studyName ?? EVENT_KINDS[event.kind].name}
            </span>
            {isUnread && (
              <span className="size-1.5 shrink-0 self-center rounded-full bg-accent">
                <span className="sr-only">New</span>
              </span>
            )}
            {time}
          </span>
        )}
        <span className={cn('block break-words', withStudy && 'line-clamp-3 text-ink-2')}>{describeEvent(event)}</span>
      </span>
      {!withStudy && time}
    </>
  );
  const className = 'flex items-start gap-2.5 rounded-control px-2 py-1.5 text-sm';
  return (
    <li>
      {path === null || path === here ? (
        <div className={className}>{content}</div>
      ) : (
        <Link href={path} onClick={onOpen} className={cn(className, 'hover:bg-hover')}>
          {content}
        </Link>
      )}
    </li>
  );
}
