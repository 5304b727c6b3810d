'use client';
import type { LiveState } from '../live-connection';
import { useLiveState } from '../live-socket';
import { cn } from '../ui/cn';
import { Tip } from '../ui/tooltip';

const LOOKS: Record<LiveState, { word: string; dot: string; says: string }> = {
  connecting: {
    word: 'Connecting',
    dot: 'bg-fill-muted animate-shimmer',
    says: 'Opening the live connection to the hub.',
  },
  live: { word: 'Live', dot: 'bg-fill-good', says: 'Changes arrive as they happen.' },
  reconnecting: {
    word: 'Reconnecting',
    dot: 'bg-warn animate-shimmer',
    says: 'The live connection broke. What was missed is fetched when it is back.',
  },
  refused: {
    word: 'Offline',
    dot: 'bg-fill-bad',
    says: 'The hub does not take the live connection. It is tried again every few seconds.',
  },
};

export function LiveDot() {
  const { word, dot, says } = LOOKS[useLiveState()];
  return (
    <Tip text={says} side="bottom">
      <span role="status" className="inline-flex h-8 items-center gap-1.5 px-1 text-ink-2 text-xs">
        <span aria-hidden className={cn('size-2 rounded-full', dot)} />
        {word}
      </span>
    </Tip>
  );
}
