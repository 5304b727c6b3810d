/** Which events this tab turns into notifications of the browser. */
import { type EventView, pathOfEvent } from '@mealtable/protocol/events';
import type { BrowserKind } from './notify-settings';

export interface Tab {
  /** Of the page that it shows. */
  path: string;
  isVisible: boolean;
  /** Of the run that it shows, where it shows one. */
  studyId: string | null;
}

/** Whether somebody looks at what the event is about already. */
export function isLookingAt(event: EventView, { path, isVisible, studyId }: Tab): boolean {
  if (!isVisible) return false;
  if (event.studyId === null) return path === pathOfEvent(event);
  if (path === `/studies/${event.studyId}` || (event.runId !== null && path === `/runs/${event.runId}`)) return true;
  return path.startsWith('/runs/') && studyId === event.studyId;
}

export const isWanted = (event: EventView, kinds: readonly BrowserKind[]): boolean =>
  (kinds as readonly string[]).includes(event.kind);

export type Permission = NotificationPermission | 'impossible';

/** 'impossible': browsers offer notifications only over https and on localhost, and some on phones not at all. */
export function readPermission(): Permission {
  if (typeof window === 'undefined' || !window.isSecureContext || !('Notification' in window)) return 'impossible';
  return Notification.permission;
}
