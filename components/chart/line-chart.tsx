'use client';
/** Lines over a common x: theme-aware, resizing, zoomed by dragging, its cursor shared with charts of the same group. */
import { useTheme } from 'next-themes';
import { useEffect, useEffectEvent, useRef } from 'react';
import type { XAxis } from './axes';
import type { ChartLine } from './chart-line';
import { ChartPlot, type CursorReading, type Zoom } from './chart-plot';
import { readChartTheme } from './chart-theme';

export type { CursorReading } from './chart-plot';

interface LineChartProps {
  lines: readonly ChartLine[];
  axis: XAxis;
  /** Says in words what is drawn, for those who cannot see it. */
  label: string;
  isLog?: boolean;
  height?: number;
  syncKey?: string;
  /** Vertical marks, for example where another attempt went on. */
  marks?: readonly number[];
  onCursor?: (reading: CursorReading | null) => void;
}

/** Charts with the same key are zoomed together. */
const groups = new Map<string, Set<(zoom: Zoom | null) => void>>();

export function LineChart(props: LineChartProps) {
  const { lines, axis, label, isLog = false, height = 176, syncKey, marks = [], onCursor } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<ChartPlot | null>(null);
  const zoom = useRef<Zoom | null>(null);
  const { resolvedTheme } = useTheme();
  const theme = resolvedTheme === 'dark' ? 'dark' : 'light';
  const reportCursor = useEffectEvent((reading: CursorReading | null) => onCursor?.(reading));
  const show = useEffectEvent(() => {
    plot.current?.show({ lines, marks, zoom: zoom.current, ignoresOutliers: false });
  });
  const zoomTo = useEffectEvent((next: Zoom | null) => {
    zoom.current = next;
    show();
  });

  useEffect(() => {
    const target = frame.current;
    if (!target) return;
    const zoomMine = (next: Zoom | null) => zoomTo(next);
    const mates = (syncKey === undefined ? undefined : groups.get(syncKey)) ?? new Set();
    if (syncKey !== undefined) groups.set(syncKey, mates.add(zoomMine));
    const made = new ChartPlot(target, { axis, isLog, theme, height, syncKey: syncKey ?? null }, readChartTheme(), {
      onZoom: (next) => (syncKey === undefined ? zoomMine(next) : mates.forEach((zoomMate) => void zoomMate(next))),
      onCursor: (reading) => reportCursor(reading),
    });
    plot.current = made;
    show();
    const observer = new ResizeObserver(() => made.resize(target.clientWidth));
    observer.observe(target);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
      mates.delete(zoomMine);
      if (syncKey !== undefined && mates.size === 0) groups.delete(syncKey);
    };
  }, [axis, isLog, theme, height, syncKey]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew with what is to be drawn
  useEffect(() => show(), [lines, marks]);

  return <div ref={frame} role="img" aria-label={label} style={{ height }} className="w-full min-w-0" />;
}
