'use client';
/** Shows notifications of the browser for what was switched on in it. Draws nothing. */
import { describeEvent, EVENT_KINDS, type EventView, pathOfEvent } from '@mealtable/protocol/events';
import type { RunDetailView } from '@mealtable/protocol/views';
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useLiveEvent, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';
import { isLookingAt, isWanted, readPermission } from './browser-notice';
import { readNotifySettings } from './notify-settings';

/** Time that a tab which looks at the subject has to say so to the others. */
const OTHERS_FIRST_MS = 300;
const HOLD_MS = 3_000;

export function BrowserNotifications() {
  const router = useRouter();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const studyOfPage = (path: string): string | null => {
    const id = path.match(/^\/runs\/([^/]+)/)?.[1];
    if (!id) return null;
    return queryClient.getQueryData<RunDetailView>(trpc.runs.get.queryKey({ id }))?.studyId ?? null;
  };
  useWatch({ kind: 'all' });
  useLiveEvent('event:noted', (event) => {
    if (readPermission() !== 'granted' || !isWanted(event, readNotifySettings().kinds)) return;
    const path = window.location.pathname;
    const tab = { path, isVisible: document.visibilityState === 'visible', studyId: studyOfPage(path) };
    if (isLookingAt(event, tab)) void withEvent(event, () => {});
    else setTimeout(() => void withEvent(event, () => show(event, (target) => router.push(target))), OTHERS_FIRST_MS);
  });
  return null;
}

/** One tab of the browser deals with an event: the first that takes its lock. */
async function withEvent(event: EventView, deal: () => void): Promise<void> {
  await navigator.locks.request(`mealtable.event.${event.id}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    deal();
    await new Promise((done) => setTimeout(done, HOLD_MS));
  });
}

function show(event: EventView, open: (path: string) => void): void {
  let notice: Notification;
  try {
    notice = new Notification(event.studyName ?? EVENT_KINDS[event.kind].name, {
      body: describeEvent(event),
      tag: `mealtable.event.${event.id}`,
      icon: '/icon.svg',
    });
  } catch (error) {
    // Browsers of phones have the constructor and refuse to use it.
    console.warn('This browser shows no notifications of a page.', error);
    return;
  }
  notice.onclick = () => {
    window.focus();
    const path = pathOfEvent(event);
    if (path !== null) open(path);
    notice.close();
  };
}
