'use client';
import { useEffect, useState } from 'react';
import { formatAbsolute, formatDuration, formatRelative, NONE } from '../format';
import { Tip } from './tooltip';

/** The time now, renewed by itself; all users of one pace share nothing but agree within it. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function RelativeTime({ at, none = NONE }: { at: number | null; none?: string }) {
  const now = useNow(10_000);
  if (at === null) return <span className="text-ink-3">{none}</span>;
  return (
    <Tip text={formatAbsolute(at)}>
      <time dateTime={new Date(at).toISOString()} className="whitespace-nowrap">
        {formatRelative(at, Math.max(now, at))}
      </time>
    </Tip>
  );
}

/** From start to end, or to now while it lasts. */
export function Elapsed({ from, to }: { from: number | null; to: number | null }) {
  const now = useNow(1_000);
  if (from === null) return <span className="text-ink-3">{NONE}</span>;
  return <span className="whitespace-nowrap">{formatDuration((to ?? Math.max(now, from)) - from)}</span>;
}
