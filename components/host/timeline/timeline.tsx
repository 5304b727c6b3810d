'use client';
import type { HostAttemptView } from '@mealtable/protocol/telemetry-views';
import Link from 'next/link';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { cn } from '../../ui/cn';
import { describeBar, LOOKS, lookOf, nameOf } from './attempt-words';
import { type Bar, layOutLanes, placeBars } from './lanes';
import { timeTicks } from './time-ticks';
import { useDragZoom } from './use-drag-zoom';

interface TimelineProps {
  attempts: readonly HostAttemptView[];
  slots: number;
  from: number;
  to: number;
  /** Name of a slot's GPU, beside its number. */
  gpuOf: (slot: number) => string | null;
  onZoom: (from: number, to: number) => void;
}

const TICK_ROOM = 84;
/** A name in less room says nothing. */
const NAME_ROOM = 56;

/** What each slot did, as bars over time. Dragging over it zooms; the arrow keys go from bar to bar. */
export function Timeline({ attempts, slots, from, to, gpuOf, onZoom }: TimelineProps) {
  const area = useRef<HTMLDivElement>(null);
  const width = useWidth(area);
  const [active, setActive] = useState<string | null>(null);
  const [shown, setShown] = useState<Bar | null>(null);
  const lanes = useMemo(
    () =>
      layOutLanes(attempts, slots).map((lane) => ({
        ...lane,
        bars: width === 0 ? [] : placeBars(lane.attempts, from, to, width),
      })),
    [attempts, slots, from, to, width],
  );
  const drag = useDragZoom(area, from, to, onZoom);
  const zoneMs = -new Date(to).getTimezoneOffset() * 60_000;
  const ticks = width === 0 ? [] : timeTicks(from, to, width / TICK_ROOM, zoneMs);
  const keys = lanes.flatMap((lane) => lane.bars.map(keyOf));
  const focusable = active !== null && keys.includes(active) ? active : (keys.at(-1) ?? null);
  const toX = (time: number) => ((time - from) / (to - from)) * width;

  return (
    <div>
      <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3">
        <div aria-hidden className="pt-6">
          {lanes.map((lane, index) => (
            <div
              // biome-ignore lint/suspicious/noArrayIndexKey: lanes are known by their place alone
              key={index}
              className="flex h-8 items-center whitespace-nowrap text-ink-3 text-xs"
            >
              {lane.slot === null ? 'Slot unknown' : `Slot ${lane.slot}`}
              {lane.slot !== null && gpuOf(lane.slot) && (
                <span className="ml-1.5 hidden sm:inline">· {gpuOf(lane.slot)}</span>
              )}
            </div>
          ))}
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form */}
        <div
          ref={area}
          role="group"
          aria-label="Attempts per slot over time"
          className="relative touch-pan-y select-none overflow-hidden"
          onKeyDown={moveFocus}
          {...drag.handlers}
        >
          <div aria-hidden className="h-6">
            {ticks.map(({ at, label }) => (
              <span
                key={at}
                className="num absolute top-0 -translate-x-1/2 whitespace-nowrap text-2xs text-ink-3"
                style={{ left: Math.min(width - 20, Math.max(20, toX(at))) }}
              >
                {label}
              </span>
            ))}
          </div>
          <div aria-hidden className="pointer-events-none absolute inset-0 top-6">
            {ticks.map(({ at }) => (
              <span key={at} className="absolute inset-y-0 border-line border-l" style={{ left: toX(at) }} />
            ))}
          </div>
          {lanes.map((lane, index) => (
            <div
              // biome-ignore lint/suspicious/noArrayIndexKey: as above
              key={index}
              data-lane={index}
              className="relative h-8 border-line border-t last:border-b"
            >
              {lane.bars.map((bar) => (
                <BarLink
                  key={keyOf(bar)}
                  bar={bar}
                  now={to}
                  isFocusable={keyOf(bar) === focusable}
                  onShow={(next) => {
                    setShown(next);
                    if (next) setActive(keyOf(next));
                  }}
                  onZoom={onZoom}
                />
              ))}
            </div>
          ))}
          {drag.selection && (
            <div
              aria-hidden
              className="pointer-events-none absolute inset-y-0 border-accent border-x bg-accent/10"
              style={drag.selection}
            />
          )}
        </div>
      </div>
      <p className="mt-2 min-h-10 text-ink-2 text-xs sm:min-h-5">
        {shown ? describeBar(shown, to) : 'Point at a bar, or go to one with Tab and the arrow keys. Drag to zoom.'}
      </p>
      <Legend />
    </div>
  );
}

const keyOf = ({ attempts: [first] }: Bar) => (first ? `${first.runId} ${first.attempt}` : '');

interface BarLinkProps {
  bar: Bar;
  now: number;
  isFocusable: boolean;
  onShow: (bar: Bar | null) => void;
  onZoom: (from: number, to: number) => void;
}

function BarLink({ bar, now, isFocusable, onShow, onZoom }: BarLinkProps) {
  const look = lookOf(bar);
  const [first] = bar.attempts;
  const last = bar.attempts.at(-1);
  if (!first || !last) return null;
  const shared = {
    'data-bar': true,
    draggable: false,
    tabIndex: isFocusable ? 0 : -1,
    'aria-label': describeBar(bar, now),
    onMouseEnter: () => onShow(bar),
    onMouseLeave: () => onShow(null),
    onFocus: () => onShow(bar),
    onBlur: () => onShow(null),
    className: cn(
      'absolute inset-y-1 overflow-hidden rounded-[3px] border text-left text-2xs text-ink leading-5 hover:brightness-95 focus-visible:z-10 focus-visible:-outline-offset-1 dark:hover:brightness-125',
      LOOKS[look].className,
    ),
    style: { left: bar.left, width: bar.width },
  };
  const name = bar.width >= NAME_ROOM && (
    <span aria-hidden className="block truncate px-1.5">
      {bar.attempts.length === 1 ? nameOf(first) : `${bar.attempts.length} attempts`}
    </span>
  );
  if (bar.attempts.length === 1)
    return (
      <Link {...shared} href={`/runs/${first.runId}?tab=attempts`} prefetch={false}>
        {name}
      </Link>
    );
  const ends = bar.attempts.map(({ endedAt }) => endedAt ?? now);
  const end = Math.max(...ends);
  const margin = Math.max(1_000, (end - first.claimedAt) * 0.1);
  return (
    <button {...shared} type="button" onClick={() => onZoom(first.claimedAt - margin, end + margin)}>
      {name}
    </button>
  );
}

function Legend() {
  const looks = Object.values(LOOKS).filter(({ word }) => word !== LOOKS.several.word);
  return (
    <ul aria-label="Colours" className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-ink-3 text-xs">
      {looks.map(({ word, className }) => (
        <li key={word} className="inline-flex items-center gap-1.5">
          <span aria-hidden className={cn('size-3 rounded-[3px] border', className)} />
          {word}
        </li>
      ))}
    </ul>
  );
}

/** Left and right within a lane, up and down to the nearest bar of another. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const from = document.activeElement;
  if (!(from instanceof HTMLElement) || !from.dataset.bar) return;
  const barsIn = (lane: Element | null | undefined) => [...(lane?.querySelectorAll<HTMLElement>('[data-bar]') ?? [])];
  const lane = from.closest('[data-lane]');
  const target = (() => {
    if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const bars = barsIn(lane);
      return bars[bars.indexOf(from) + (event.key === 'ArrowRight' ? 1 : -1)];
    }
    if (event.key === 'Home') return barsIn(lane)[0];
    if (event.key === 'End') return barsIn(lane).at(-1);
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return undefined;
    const lanes = [...event.currentTarget.querySelectorAll('[data-lane]')].filter((each) => barsIn(each).length > 0);
    const next = barsIn(lanes[lanes.indexOf(lane as Element) + (event.key === 'ArrowDown' ? 1 : -1)]);
    const distance = (bar: HTMLElement) => Math.abs(bar.offsetLeft - from.offsetLeft);
    return next.sort((a, b) => distance(a) - distance(b))[0];
  })();
  if (!target) return;
  event.preventDefault();
  target.focus();
}

function useWidth(target: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = target.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [target]);
  return width;
}
