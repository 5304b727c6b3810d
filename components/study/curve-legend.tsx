'use client';
import type { RunSummaryView, Top1Row } from '@mealtable/protocol/views';
import { useTheme } from 'next-themes';
import type { ChartLine } from '../chart/align-lines';
import { X_AXIS_WORDS, type XAxis } from '../chart/axes';
import type { CursorReading } from '../chart/line-chart';
import { lineColor, lineDash } from '../chart/palette';
import { formatSecondsTick, formatTick } from '../chart/ticks';
import { formatMetric } from '../format';
import { cn } from '../ui/cn';
import { shortLabel } from './teacher-names';

interface CurveLegendProps {
  rows: readonly Top1Row[];
  runs: readonly RunSummaryView[];
  colors: ReadonlyMap<string, number>;
  lines: readonly ChartLine[];
  reading: CursorReading | null;
  axis: XAxis;
  hidden: ReadonlySet<string>;
  onHidden: (hidden: ReadonlySet<string>) => void;
  onFocus: (variantId: string | null) => void;
}

/**
 * Every variant with its line's look and its value: under the cursor, else the last. Mean over its seeds, without runs
 * that ended early unless it has no other.
 */
export function CurveLegend(props: CurveLegendProps) {
  const { rows, runs, colors, lines, reading, axis, hidden, onHidden, onFocus } = props;
  const { resolvedTheme } = useTheme();
  const theme = resolvedTheme === 'dark' ? 'dark' : 'light';
  const withCurves = rows.filter((row) => runs.some((run) => run.variantId === row.variantId));
  const variantOf = new Map(runs.map((run) => [run.id, run.variantId]));
  const statusOf = new Map(runs.map((run) => [run.id, run.status]));
  const endedEarly = (id: string) => statusOf.get(id) === 'failed' || statusOf.get(id) === 'cancelled';
  const shownValue = (variantId: string): number | null => {
    const mine = lines.filter((line) => (variantOf.get(line.id) ?? line.id) === variantId);
    const whole = mine.filter((line) => !endedEarly(line.id));
    const values = (whole.length > 0 ? whole : mine).flatMap(
      (line) => (reading ? reading.values.get(line.id) : line.y.findLast((y) => y !== null)) ?? [],
    );
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const toggle = (variantId: string, isAlone: boolean) => {
    if (isAlone) {
      const others = withCurves.filter((row) => row.variantId !== variantId).map((row) => row.variantId);
      return onHidden(hidden.size === others.length && !hidden.has(variantId) ? new Set() : new Set(others));
    }
    const next = new Set(hidden);
    if (!next.delete(variantId)) next.add(variantId);
    onHidden(next);
  };
  const at = reading && (axis === 'elapsed' ? formatSecondsTick(reading.x) : formatTick(reading.x));
  return (
    <div className="flex min-w-0 flex-col border-t lg:max-h-[354px] lg:border-t-0 lg:border-l">
      <div className="flex items-center justify-between border-b px-3 py-1.5 text-ink-3 text-xs">
        <span>{at === null ? 'Last value' : `At ${X_AXIS_WORDS[axis].toLowerCase()} ${at}`}, mean over seeds</span>
        {hidden.size > 0 && (
          <button
            type="button"
            onClick={() => onHidden(new Set())}
            className="rounded-control text-accent hover:underline"
          >
            Show all
          </button>
        )}
      </div>
      <ul className="min-h-0 overflow-y-auto py-1" onMouseLeave={() => onFocus(null)}>
        {withCurves.map((row) => {
          const isHidden = hidden.has(row.variantId);
          const color = colors.get(row.variantId) ?? 0;
          return (
            <li key={row.variantId}>
              <button
                type="button"
                aria-pressed={!isHidden}
                title={`${row.label}\nClick: hide or show. Alt-click: this one alone.`}
                onClick={(event) => toggle(row.variantId, event.altKey)}
                onMouseEnter={() => onFocus(row.variantId)}
                onFocus={() => onFocus(row.variantId)}
                onBlur={() => onFocus(null)}
                className={cn(
                  'flex w-full items-center gap-2 px-3 py-1 text-left text-xs hover:bg-hover focus-visible:-outline-offset-2',
                  isHidden && 'opacity-45',
                )}
              >
                <svg aria-hidden width="18" height="8" className="shrink-0">
                  <line
                    x1="0"
                    x2="18"
                    y1="4"
                    y2="4"
                    stroke={lineColor(color, theme)}
                    strokeWidth="2.5"
                    strokeDasharray={lineDash(color)?.join(' ')}
                  />
                </svg>
                <span className={cn('min-w-0 grow truncate', isHidden && 'line-through')}>{shortLabel(row)}</span>
                <span className="num shrink-0">{formatMetric(shownValue(row.variantId))}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
