'use client';
/** What this browser has seen and wants to be notified of: kept here, the same for all its tabs. */
import { BROWSER_KINDS } from '@mealtable/protocol/events';
import { useSyncExternalStore } from 'react';

export type BrowserKind = (typeof BROWSER_KINDS)[number];
export interface NotifySettings {
  /** The newest notice that the bell has shown; null before it has shown any. */
  seenId: number | null;
  /** Kinds that the browser notifies of. */
  kinds: readonly BrowserKind[];
}
const DEFAULTS: NotifySettings = { seenId: null, kinds: [] };
const KEY = 'mealtable.notices';

let current: NotifySettings | null = null;
const listeners = new Set<() => void>();

/** @param text as stored @returns the defaults for what nobody has set, or somebody else has written */
export function parseSettings(text: string | null): NotifySettings {
  if (text === null) return DEFAULTS;
  try {
    const stored = JSON.parse(text) as Partial<Record<keyof NotifySettings, unknown>> | null;
    const { seenId, kinds } = stored ?? {};
    return {
      seenId: typeof seenId === 'number' ? seenId : null,
      kinds: Array.isArray(kinds) ? BROWSER_KINDS.filter((kind) => kinds.includes(kind)) : [],
    };
  } catch (error) {
    console.warn('What is kept of notices could not be read.', error);
    return DEFAULTS;
  }
}

function read(): NotifySettings {
  if (current) return current;
  try {
    current = parseSettings(localStorage.getItem(KEY));
  } catch (error) {
    // A browser that keeps nothing.
    console.warn('What is kept of notices could not be read.', error);
    current = DEFAULTS;
  }
  return current;
}

export function changeNotifySettings(part: Partial<NotifySettings>): void {
  current = { ...read(), ...part };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch (error) {
    console.warn('What was set of notices lasts only until the page is left.', error);
  }
  for (const listener of listeners) listener();
}

function onOtherTab(event: StorageEvent) {
  if (event.key !== KEY) return;
  current = parseSettings(event.newValue);
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  if (listeners.size === 0) window.addEventListener('storage', onOtherTab);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('storage', onOtherTab);
  };
};

export const useNotifySettings = (): NotifySettings => useSyncExternalStore(subscribe, read, () => DEFAULTS);
export const readNotifySettings = read;
