'use client';
import { useMemo, useSyncExternalStore } from 'react';
import { formatAbsolute, formatDuration, formatRelative, NONE } from '../format';

interface Clock {
  now: number;
  subscribe: (listener: () => void) => () => void;
}
const clocks = new Map<number, Clock>();

/** One timer per pace for the whole page, however many rows show a time; none while nobody looks. */
function clockOf(everyMs: number): Clock {
  const known = clocks.get(everyMs);
  if (known) return known;
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  const clock: Clock = {
    now: Date.now(),
    subscribe(listener) {
      listeners.add(listener);
      clock.now = Date.now();
      timer ??= setInterval(() => {
        clock.now = Date.now();
        for (const each of listeners) each();
      }, everyMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
  clocks.set(everyMs, clock);
  return clock;
}

/** The time now, renewed by itself. */
export function useNow(everyMs: number): number {
  const clock = useMemo(() => clockOf(everyMs), [everyMs]);
  return useSyncExternalStore(
    clock.subscribe,
    () => clock.now,
    () => clock.now,
  );
}

export function RelativeTime({ at, none = NONE }: { at: number | null; none?: string }) {
  const now = useNow(10_000);
  if (at === null) return <span className="text-ink-3">{none}</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={formatAbsolute(at)} className="whitespace-nowrap">
      {formatRelative(at, Math.max(now, at))}
    </time>
  );
}

/** From start to end, or to now while it lasts. */
export function Elapsed({ from, to }: { from: number | null; to: number | null }) {
  if (from === null) return <span className="text-ink-3">{NONE}</span>;
  return <span className="whitespace-nowrap">{to === null ? <Since at={from} /> : formatDuration(to - from)}</span>;
}

function Since({ at }: { at: number }) {
  const now = useNow(1_000);
  return formatDuration(Math.max(now, at) - at);
}
