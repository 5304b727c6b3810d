'use client';
import { useTheme } from 'next-themes';
import { useMemo, useRef, useState } from 'react';
import type { ChartLine } from '../../chart/chart-line';
import { type CursorReading, LineChart } from '../../chart/line-chart';
import { lineColor } from '../../chart/palette';
import { useHasBeenNear } from '../../chart/use-has-been-near';
import { formatAbsolute } from '../../format';
import { CHART_UNITS, formatQuantity, type Unit } from './units';

export interface TelemetryLine {
  name: string;
  /** Undefined: never measured. */
  values: readonly (number | null)[] | undefined;
}

interface TelemetryChartProps {
  title: string;
  unit: Unit;
  at: readonly number[];
  lines: readonly TelemetryLine[];
  syncKey: string;
  /** Vertical marks, as times. */
  marks?: readonly number[];
}

/** One quantity over time, with what each line is at the cursor, else at the end. Not there without any value. */
export function TelemetryChart({ title, unit, at, lines, syncKey, marks = [] }: TelemetryChartProps) {
  const frame = useRef<HTMLElement>(null);
  const isNear = useHasBeenNear(frame);
  const [reading, setReading] = useState<CursorReading | null>(null);
  const { resolvedTheme } = useTheme();
  const theme = resolvedTheme === 'dark' ? 'dark' : 'light';
  const { scale, name: unitName } = CHART_UNITS[unit];
  const x = useMemo(() => at.map((time) => time / 1000), [at]);
  const drawn = useMemo(
    (): ChartLine[] =>
      lines.flatMap(({ name, values }, color) =>
        values ? [{ id: name, x, y: values.map((value) => (value === null ? null : value / scale)), color }] : [],
      ),
    [lines, x, scale],
  );
  if (drawn.length === 0) return null;
  const shownValue = (line: ChartLine) => {
    const value = reading ? reading.values.get(line.id) : line.y.findLast((y) => y !== null);
    return formatQuantity(value === undefined || value === null ? null : value * scale, unit);
  };
  const words = drawn.map((line) => `${line.id} ${shownValue(line)}`).join(', ');
  return (
    <figure ref={frame} className="min-w-0 rounded-panel border bg-surface pt-2.5 pr-1 pb-2 pl-1">
      <figcaption className="flex items-baseline gap-2 px-2.5">
        <span className="min-w-0 truncate font-medium text-sm">
          {title} <span className="font-normal text-ink-3 text-xs">{unitName}</span>
        </span>
        <span className="num ml-auto shrink-0 text-ink-3 text-xs">
          {reading ? formatAbsolute(reading.x * 1000) : ''}
        </span>
      </figcaption>
      {isNear ? (
        <LineChart
          lines={drawn}
          axis="clock"
          syncKey={syncKey}
          marks={marks.map((mark) => mark / 1000)}
          onCursor={setReading}
          label={`${title}, last values: ${words}`}
        />
      ) : (
        <div style={{ height: 176 }} />
      )}
      <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 px-2.5 text-xs">
        {drawn.map((line) => (
          <li key={line.id} className="inline-flex items-center gap-1.5 whitespace-nowrap">
            <span aria-hidden className="h-0.5 w-3 rounded" style={{ background: lineColor(line.color, theme) }} />
            <span className="text-ink-2">{line.id}</span>
            <span className="num">{shownValue(line)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
