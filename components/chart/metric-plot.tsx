'use client';
import { type KeyboardEvent, type RefObject, useEffect, useRef } from 'react';
import { formatMetric } from '../format';
import { isRead } from './chart-line';
import type { ChartPlot, CursorReading } from './chart-plot';
import { ChartTooltip } from './chart-tooltip';
import { placeWords } from './place-words';
import { type MetricPlotProps, type PlotState, useMetricPlot } from './use-metric-plot';

/** Values said of a place by a screen reader; the table has all. */
const MAX_SAID = 6;

interface Props extends MetricPlotProps {
  figure: RefObject<HTMLElement | null>;
  label: string;
  onState: (state: PlotState) => void;
  onReading: (reading: CursorReading | null) => void;
  /** Gives the plot to whoever saves a picture of it. */
  plotRef: RefObject<ChartPlot | null>;
}

/** The drawing itself, moved through by pointer or keys: a slider along the x-axis for those who cannot see it. */
export function MetricPlot(props: Props) {
  const { figure, label, onState, onReading, plotRef, view } = props;
  const target = useRef<HTMLDivElement>(null);
  const { plot, state, reading, theme } = useMetricPlot(props, target, figure);
  useEffect(() => onState(state), [state, onState]);
  useEffect(() => onReading(reading), [reading, onReading]);
  useEffect(() => {
    plotRef.current = plot.current;
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const made = plot.current;
    if (!made || event.ctrlKey || event.metaKey || event.altKey) return;
    const { from, to } = made.shown;
    const at = reading?.x ?? null;
    const go = (place: number | null) => place !== null && made.moveCursor(place);
    const zoomBy = (factor: number) => {
      const middle = at ?? (from + to) / 2;
      props.onZoom({ from: middle - (middle - from) * factor, to: middle + (to - middle) * factor });
    };
    const page = (to - from) / 10;
    const acts: Record<string, () => void> = {
      ArrowRight: () => go(made.nextPlace(at, 1)),
      ArrowLeft: () => go(at === null ? made.nextPlace(null, -1) : made.nextPlace(at, -1)),
      PageUp: () => go(Math.min(to, (at ?? from) + page)),
      PageDown: () => go(Math.max(from, (at ?? to) - page)),
      Home: () => go(made.nextPlace(null, 1)),
      End: () => go(made.nextPlace(null, -1)),
      '+': () => zoomBy(0.5),
      '-': () => zoomBy(2),
      '0': () => props.onZoom(null),
      Escape: () => made.moveCursor(null),
    };
    const act = acts[event.key === '=' ? '+' : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  const shown = plot.current?.shown;
  const named = state.lines.filter(isRead);
  const said = reading
    ? [
        placeWords(reading.x, view.axis, true),
        ...named
          .filter((line) => reading.values.has(line.id))
          .slice(0, MAX_SAID)
          .map((line) => `${line.label ?? line.id} ${formatMetric(reading.values.get(line.id))}`),
      ].join(', ')
    : label;
  return (
    <div className="relative">
      <div
        ref={target}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-orientation="horizontal"
        aria-valuemin={shown?.from ?? 0}
        aria-valuemax={shown?.to ?? 1}
        aria-valuenow={reading?.x ?? shown?.to ?? 0}
        aria-valuetext={said}
        onKeyDown={onKeyDown}
        onBlur={() => plot.current?.moveCursor(null)}
        style={{ height: props.height }}
        className="w-full min-w-0 rounded-control focus-visible:outline-offset-1"
      />
      {state.points === 0 && (
        <p className="pointer-events-none absolute inset-0 grid place-items-center text-ink-3 text-xs">
          {state.isLoaded ? 'No points' : 'Reading…'}
        </p>
      )}
      {reading?.isOwn && named.length > 1 && (
        <ChartTooltip
          reading={reading}
          lines={named}
          axis={view.axis}
          theme={theme}
          width={target.current?.clientWidth ?? 300}
        />
      )}
    </div>
  );
}
