'use client';
import type { RunLogLine } from '@mealtable/protocol/run-log';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import { formatAbsolute, formatClock } from '../format';
import { cn } from '../ui/cn';
import { parseAnsi } from './ansi';
import { keyOf } from './log-buffer';
import { type Matcher, markMatches } from './log-matcher';

const LEVELS: Record<RunLogLine['level'], { mark: string; text: string; says: string }> = {
  info: { mark: '', text: '', says: '' },
  output: { mark: '›', text: 'text-ink-2', says: 'output' },
  warning: { mark: 'W', text: 'text-warn bg-warn-soft/60', says: 'warning' },
  error: { mark: 'E', text: 'text-bad bg-bad-soft/60', says: 'error' },
};
const STDERR = { mark: '»', text: 'text-ink-2', says: 'stderr' };
const STDOUT = { mark: '›', text: 'text-ink-2', says: 'stdout' };
const looksOf = ({ source, level }: RunLogLine) =>
  source === 'log' ? LEVELS[level] : source === 'stderr' ? STDERR : STDOUT;

/** Scrolling this close to an end asks for more. */
const NEAR_PX = 400;

interface LogLinesProps {
  lines: readonly RunLogLine[];
  matcher: Matcher | null;
  /** Key of the hit that was gone to last, and a number that grows with each going. */
  target: { key: string; turn: number } | null;
  wraps: boolean;
  isFollowing: boolean;
  /** Scrolling up stops following, scrolling to the end starts it again. */
  onFollow: (follow: boolean) => void;
  onNearBeginning: () => void;
  onNearEnd: () => void;
  onKey: (key: string) => boolean;
  frame: RefObject<HTMLDivElement | null>;
}

export function LogLines(props: LogLinesProps) {
  const { lines, matcher, target, wraps, isFollowing, onFollow, onNearBeginning, onNearEnd, onKey, frame } = props;
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => frame.current,
    estimateSize: () => 20,
    overscan: 20,
    getItemKey: (index) => (lines[index] ? keyOf(lines[index]) : index),
  });
  const last = lines.at(-1);
  const firstLine = useRef(lines[0]);
  // Older lines come in front: what was the top stays the top, and they are found by scrolling up.
  useLayoutEffect(() => {
    if (firstLine.current === lines[0]) return;
    const seam = firstLine.current ? lines.indexOf(firstLine.current) : 0;
    if (seam > 0 && !isFollowing) rows.scrollToIndex(seam, { align: 'start' });
    firstLine.current = lines[0];
  }, [lines, rows, isFollowing]);
  useEffect(() => {
    if (isFollowing && last) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [isFollowing, last, lines.length, rows]);
  const shownTurn = useRef(0);
  useEffect(() => {
    if (!target || shownTurn.current === target.turn) return;
    const index = lines.findIndex((line) => keyOf(line) === target.key);
    if (index < 0) return;
    shownTurn.current = target.turn;
    rows.scrollToIndex(index, { align: 'center' });
  }, [target, lines, rows]);

  return (
    <div
      ref={frame}
      role="log"
      aria-live="off"
      aria-label="Log lines"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
      onWheel={(event) => event.deltaY < 0 && onFollow(false)}
      onTouchMove={() => onFollow(false)}
      onScroll={({ currentTarget: at }) => {
        const below = at.scrollHeight - at.scrollTop - at.clientHeight;
        if (below < 8 && !isFollowing) onFollow(true);
        if (below < NEAR_PX) onNearEnd();
        if (at.scrollTop < NEAR_PX && !isFollowing) onNearBeginning();
      }}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (['ArrowUp', 'PageUp', 'Home'].includes(event.key)) onFollow(false);
        if (onKey(event.key)) event.preventDefault();
      }}
      className="max-h-[min(68vh,760px)] min-h-24 overflow-auto rounded-panel border bg-surface py-1.5"
    >
      <div className={cn('relative', wraps ? 'w-full' : 'w-max min-w-full')} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          const before = lines[item.index - 1];
          return (
            <div
              key={item.key}
              ref={rows.measureElement}
              data-index={item.index}
              className={cn('top-0 left-0', wraps ? 'absolute w-full' : 'absolute w-max min-w-full')}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              {line.attempt !== (before?.attempt ?? 1) && (
                <div className="mt-1 border-accent-line border-t px-3 pt-1 font-medium text-2xs text-ink-3">
                  Attempt {line.attempt}
                </div>
              )}
              <Line
                line={line}
                matcher={matcher}
                wraps={wraps}
                isCurrent={target !== null && keyOf(line) === target.key}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface LineProps {
  line: RunLogLine;
  matcher: Matcher | null;
  wraps: boolean;
  isCurrent: boolean;
}

const Line = memo(function Line({ line, matcher, wraps, isCurrent }: LineProps) {
  const { mark, text, says } = looksOf(line);
  return (
    <div
      className={cn(
        'flex gap-3 px-3 font-mono text-xs leading-5 hover:bg-hover',
        text,
        isCurrent && 'bg-accent-soft outline outline-accent-line',
      )}
    >
      <span
        className="shrink-0 select-none text-ink-3"
        title={`${formatAbsolute(line.at)} · attempt ${line.attempt} · ${says || 'log'}`}
      >
        {formatClock(line.at)}
      </span>
      <span className="w-2.5 shrink-0 select-none font-semibold text-ink-3">
        <span aria-hidden className={line.source === 'stderr' ? 'text-warn' : undefined}>
          {mark}
        </span>
        {says && <span className="sr-only">{says}</span>}
      </span>
      <span className={wraps ? 'wrap-anywhere min-w-0 whitespace-pre-wrap' : 'whitespace-pre'}>
        {markMatches(parseAnsi(line.line), matcher).map((span, i) =>
          span.isMatch ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line that never changes
            <mark key={i} className={cn('rounded-xs bg-warn-soft text-inherit ring-1 ring-warn-line', span.className)}>
              {span.text}
            </mark>
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line that never changes
            <span key={i} className={span.className || undefined}>
              {span.text}
            </span>
          ),
        )}
      </span>
    </div>
  );
});
