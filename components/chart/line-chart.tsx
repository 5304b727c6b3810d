'use client';
/** Lines over a common x: theme-aware, resizing, zoomed by dragging, its cursor shared with charts of the same group. */
import { useTheme } from 'next-themes';
import { useEffect, useEffectEvent, useRef } from 'react';
import uPlot from 'uplot';
import { alignLines, type ChartLine } from './align-lines';
import type { XAxis } from './axes';
import { readChartTheme } from './chart-theme';
import { buildOptions, type ChartShape, DIMMED } from './uplot-options';

export interface CursorReading {
  x: number;
  /** The y of every line at its point nearest to the cursor, by id. */
  values: ReadonlyMap<string, number>;
}

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

export function LineChart({
  lines,
  axis,
  label,
  isLog = false,
  height = 176,
  syncKey,
  marks = [],
  onCursor,
}: LineChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { resolvedTheme } = useTheme();
  const theme = resolvedTheme === 'dark' ? 'dark' : 'light';
  const looks = lines.map((line) => `${line.id}:${line.color}:${line.look ?? ''}:${line.band ? 'b' : ''}`).join('|');
  const shapeKey = JSON.stringify({ axis, isLog, theme, height, syncKey: syncKey ?? null, looks });

  const build = useEffectEvent((target: HTMLDivElement) => {
    const shape: ChartShape = { axis, isLog, theme, height, syncKey: syncKey ?? null };
    const hooks = { setCursor: [reportCursor], draw: [(u: uPlot) => drawMarks(u)] };
    const options = buildOptions(lines, shape, readChartTheme(), target.clientWidth || 300, hooks);
    return new uPlot(options, alignLines(lines), target);
  });
  const reportCursor = useEffectEvent((u: uPlot) => onCursor?.(readCursor(u, lines)));
  const drawMarks = useEffectEvent((u: uPlot) => drawVerticalMarks(u, marks));

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for all that needs a new chart
  useEffect(() => {
    const target = frame.current;
    if (!target) return;
    const made = build(target);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (target.clientWidth > 0) made.setSize({ width: target.clientWidth, height });
    });
    observer.observe(target);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shapeKey, height]);

  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    let column = 1;
    for (const line of lines)
      for (let i = 0; i < (line.band ? 3 : 1); i++, column++) {
        const series = made.series[column];
        if (series) series.alpha = line.isDimmed ? DIMMED : 1;
      }
    replaceData(made, alignLines(lines));
  }, [lines]);

  return <div ref={frame} role="img" aria-label={label} style={{ height }} className="w-full min-w-0" />;
}

/** New points must not undo a zoom. */
function replaceData(u: uPlot, data: uPlot.AlignedData): void {
  const old = u.data[0];
  const { min, max } = u.scales.x ?? {};
  const [first, last] = [old[0], old[old.length - 1]];
  const isZoomed = min != null && max != null && first != null && last != null && (min > first || max < last);
  u.setData(data, !isZoomed);
  if (isZoomed) u.redraw();
}

function readCursor(u: uPlot, lines: readonly ChartLine[]): CursorReading | null {
  const { idx, idxs } = u.cursor;
  const x = idx == null ? undefined : u.data[0][idx];
  if (x === undefined || !idxs) return null;
  const values = new Map<string, number>();
  let column = 1;
  for (const line of lines) {
    const at = idxs[column];
    const value = at == null ? null : u.data[column]?.[at];
    if (value != null) values.set(line.id, value);
    column += line.band ? 3 : 1;
  }
  return { x, values };
}

function drawVerticalMarks(u: uPlot, marks: readonly number[]): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = readChartTheme().mark;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark, 'x', true));
    if (x <= bbox.left || x >= bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
