'use client';
import { formatMetric } from '../format';
import { cn } from '../ui/cn';
import type { XAxis } from './axes';
import type { ChartLine } from './chart-line';
import type { CursorReading } from './chart-plot';
import { LineSwatch } from './line-swatch';
import type { Theme } from './palette';
import { bandWords, placeWords } from './place-words';

/** Lines named at once, those nearest to the pointer. */
const MAX_ROWS = 8;
/** In CSS pixels: between the cursor and the words, and the words' width at most. */
const GAP = 14;
const WIDEST = 340;

interface ChartTooltipProps {
  reading: CursorReading;
  lines: readonly ChartLine[];
  axis: XAxis;
  theme: Theme;
  /** Of the plot, in CSS pixels. */
  width: number;
}

/** What the lines are under the pointer, the highest first. The table has the same for those who do not point. */
export function ChartTooltip({ reading, lines, axis, theme, width }: ChartTooltipProps) {
  const read = lines.flatMap((line) => {
    const value = reading.values.get(line.id);
    return value === undefined ? [] : { line, value, place: reading.places.get(line.id) as number };
  });
  const nearest = read.find(({ line }) => line.id === reading.nearest)?.value ?? 0;
  const rows = read
    .sort((a, b) => Math.abs(a.value - nearest) - Math.abs(b.value - nearest))
    .slice(0, MAX_ROWS)
    .sort((a, b) => b.value - a.value);
  const pointed = rows.find(({ line }) => line.id === reading.nearest);
  const edges = pointed?.line.band;
  const band = pointed && edges ? bandWords(edges.low[pointed.place], edges.high[pointed.place]) : '';
  const isRight = reading.left > width / 2;
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute top-1 z-10 w-max rounded-control border bg-raised px-2.5 py-1.5 text-xs shadow-raised"
      style={{
        ...(isRight ? { right: width - reading.left + GAP } : { left: reading.left + GAP }),
        maxWidth: Math.min(WIDEST, (isRight ? reading.left : width - reading.left) - GAP),
      }}
    >
      <p className="num mb-0.5 text-ink-3">{placeWords(reading.x, axis)}</p>
      <ul>
        {rows.map(({ line, value, place }) => {
          const n = line.n?.[place];
          return (
            <li
              key={line.id}
              className={cn('flex items-center gap-2', line.id === reading.nearest ? 'font-medium' : 'text-ink-2')}
            >
              <LineSwatch line={line} theme={theme} />
              <span className="min-w-0 grow truncate">{line.label ?? line.id}</span>
              {n !== undefined && (line.most ?? 1) > 1 && (
                <span className={cn('num shrink-0', n === line.most ? 'text-ink-3' : 'text-warn')}>n={n}</span>
              )}
              <span className="num shrink-0">{formatMetric(value)}</span>
            </li>
          );
        })}
      </ul>
      {/* Of one line alone: beside every value bands would leave the names no room. */}
      {band !== '' && <p className="num text-ink-3">band {band}</p>}
      {read.length > rows.length && <p className="text-ink-3">and {read.length - rows.length} more</p>}
    </div>
  );
}
