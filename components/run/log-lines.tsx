'use client';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef } from 'react';
import { formatClock } from '../format';
import { cn } from '../ui/cn';
import type { LogLine } from './log-buffer';

const LEVELS: Record<LogLine['level'], { mark: string; text: string; says: string }> = {
  info: { mark: '', text: '', says: '' },
  output: { mark: '›', text: 'text-ink-2', says: 'output' },
  warning: { mark: 'W', text: 'text-warn bg-warn-soft/60', says: 'warning' },
  error: { mark: 'E', text: 'text-bad bg-bad-soft/60', says: 'error' },
};

interface LogLinesProps {
  lines: readonly LogLine[];
  search: string;
  isFollowing: boolean;
  /** Scrolling up stops following, scrolling to the end starts it again. */
  onFollow: (follow: boolean) => void;
}

export function LogLines({ lines, search, isFollowing, onFollow }: LogLinesProps) {
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => frame.current,
    estimateSize: () => 20,
    overscan: 20,
    getItemKey: (index) => `${lines[index]?.attempt}:${lines[index]?.seq}`,
  });
  const lastKey = lines.at(-1);
  const firstLine = useRef(lines[0]);
  // Older lines come in front: what was the top stays the top, and they are found by scrolling up.
  useLayoutEffect(() => {
    const seam = firstLine.current ? lines.indexOf(firstLine.current) : 0;
    if (seam > 0 && !isFollowing) rows.scrollToIndex(seam, { align: 'start' });
    firstLine.current = lines[0];
  }, [lines, rows, isFollowing]);
  useEffect(() => {
    if (isFollowing && lastKey) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [isFollowing, lastKey, lines.length, rows]);

  return (
    <div
      ref={frame}
      role="log"
      aria-label="Log lines"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
      onWheel={(event) => event.deltaY < 0 && onFollow(false)}
      onScroll={({ currentTarget: at }) => {
        if (at.scrollHeight - at.scrollTop - at.clientHeight < 8 && !isFollowing) onFollow(true);
      }}
      onKeyDown={(event) => ['ArrowUp', 'PageUp', 'Home'].includes(event.key) && onFollow(false)}
      className="max-h-[min(68vh,760px)] min-h-24 overflow-auto py-1.5 rounded-panel border bg-surface"
    >
      {lines.length === 0 && <p className="p-6 text-center text-ink-3 text-sm">No line matches.</p>}
      <div className="relative w-full" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          const { mark, text, says } = LEVELS[line.level];
          const isNewAttempt = item.index > 0 && lines[item.index - 1]?.attempt !== line.attempt;
          return (
            <div
              key={item.key}
              ref={rows.measureElement}
              data-index={item.index}
              className={cn(
                'absolute top-0 left-0 flex w-full gap-3 px-3 font-mono text-xs leading-5 hover:bg-hover',
                text,
                isNewAttempt && 'border-accent-line border-t',
              )}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <span className="shrink-0 select-none text-ink-3" title={`Attempt ${line.attempt}`}>
                {formatClock(line.at)}
              </span>
              <span className="w-2.5 shrink-0 select-none font-semibold">
                <span aria-hidden>{mark}</span>
                {says && <span className="sr-only">{says}</span>}
              </span>
              <span className="min-w-0 whitespace-pre-wrap break-words">
                <Highlighted text={line.line} search={search} />
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Highlighted({ text, search }: { text: string; search: string }) {
  const at = search ? text.toLowerCase().indexOf(search.toLowerCase()) : -1;
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark className="rounded-xs bg-accent-soft text-inherit ring-1 ring-accent-line">
        {text.slice(at, at + search.length)}
      </mark>
      {text.slice(at + search.length)}
    </>
  );
}
