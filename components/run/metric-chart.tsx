'use client';
import { useMemo, useRef, useState } from 'react';
import type { ChartLine } from '../chart/align-lines';
import { drawable, placesOf, X_AXIS_WORDS } from '../chart/axes';
import { type CursorReading, LineChart } from '../chart/line-chart';
import { smooth } from '../chart/smooth';
import { formatSecondsTick, formatTick } from '../chart/ticks';
import { useHasBeenNear } from '../chart/use-has-been-near';
import { formatClock, formatMetric, plural } from '../format';
import type { ChartSettings } from './chart-settings';
import type { MetricSeries } from './metric-buffer';

interface MetricChartProps {
  metric: string;
  series: MetricSeries;
  /** Renews the drawing: the series is changed in place. */
  version: number;
  settings: ChartSettings;
  color: number;
  syncKey: string;
}

export function MetricChart({ metric, series, version, settings, color, syncKey }: MetricChartProps) {
  const frame = useRef<HTMLElement>(null);
  const isNear = useHasBeenNear(frame);
  const [reading, setReading] = useState<CursorReading | null>(null);
  const { axis, isLog, smoothing } = settings;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` stands for the series' content
  const lines = useMemo((): ChartLine[] => {
    const x = [...placesOf(series, axis)];
    const raw: ChartLine = {
      id: 'raw',
      x,
      y: drawable(series.value, isLog),
      color,
      look: smoothing > 0 ? 'faint' : 'plain',
    };
    if (smoothing === 0) return [raw];
    return [raw, { id: 'smooth', x, y: drawable(smooth(series.value, smoothing), isLog), color }];
  }, [series, version, axis, isLog, smoothing, color]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const marks = useMemo(() => {
    const places = placesOf(series, axis);
    return places.filter((_, i) => i > 0 && series.attempt[i] !== series.attempt[i - 1]);
  }, [series, version, axis]);

  const count = series.value.length;
  const last = series.value.at(-1);
  const shownX = reading?.x;
  const at =
    shownX === undefined
      ? null
      : axis === 'elapsed'
        ? formatSecondsTick(shownX)
        : axis === 'clock'
          ? formatClock(shownX * 1000)
          : formatTick(shownX);
  const name = metric.slice(metric.indexOf('/') + 1);
  return (
    <figure
      ref={frame}
      data-testid={`chart-${metric}`}
      data-points={count}
      className="min-w-0 rounded-panel border bg-surface pt-2.5 pr-1 pb-1 pl-1"
    >
      <figcaption className="flex items-baseline gap-2 px-2.5">
        <span className="min-w-0 truncate font-medium text-sm" title={metric}>
          {name.replaceAll('_', ' ')}
        </span>
        <span className="num ml-auto shrink-0 text-sm">
          {at !== null && (
            <span className="text-ink-3 text-xs">
              {X_AXIS_WORDS[axis].toLowerCase()} {at} ·{' '}
            </span>
          )}
          {formatMetric(reading ? (reading.values.get('smooth') ?? reading.values.get('raw')) : last)}
        </span>
      </figcaption>
      {isNear ? (
        <LineChart
          lines={lines}
          axis={axis}
          isLog={isLog}
          marks={marks}
          syncKey={syncKey}
          onCursor={setReading}
          label={`${metric}: ${plural(count, 'point')}, last ${formatMetric(last)} at step ${series.step.at(-1) ?? 0}`}
        />
      ) : (
        <div style={{ height: 176 }} />
      )}
    </figure>
  );
}
