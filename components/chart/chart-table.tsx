'use client';
import { useState } from 'react';
import { formatMetric, plural } from '../format';
import { Button } from '../ui/button';
import { ScrollRegion } from '../ui/scroll-region';
import { Segmented } from '../ui/segmented';
import { X_AXIS_WORDS, type XAxis } from './axes';
import { type ChartLine, isRead } from './chart-line';
import type { CursorReading, Zoom } from './chart-plot';
import { bandWords, placeCell, placeWords } from './place-words';
import { firstAtOrAfter } from './y-range';

const PAGE = 50;
/** Lines that have a column each. */
const MAX_COLUMNS = 12;

interface ChartTableProps {
  metric: string;
  lines: readonly ChartLine[];
  axis: XAxis;
  reading: CursorReading | null;
  /** Part of the x-axis that is shown. */
  shown: Zoom;
}

/** The chart's points as a table: every line at the cursor, or all points of what is shown. */
export function ChartTable({ metric, lines, axis, reading, shown }: ChartTableProps) {
  const [kind, setKind] = useState<'lines' | 'points'>('lines');
  const named = lines.filter(isRead);
  return (
    <div className="border-t px-2.5 py-2">
      <Segmented
        label="Rows of the table"
        value={kind}
        onChange={setKind}
        options={[
          { value: 'lines', label: 'At the cursor' },
          { value: 'points', label: 'All points shown' },
        ]}
        className="mb-2"
      />
      {kind === 'lines' ? (
        <LinesTable metric={metric} lines={named} axis={axis} reading={reading} shown={shown} />
      ) : (
        <PointsTable metric={metric} lines={named} axis={axis} shown={shown} />
      )}
    </div>
  );
}

const cell = 'whitespace-nowrap border-b px-2 py-1 text-left text-xs';
const number = `${cell} num text-right`;

/** Indices of the line's points that are shown: from the first up to, but not including, the second. */
function shownPart({ x }: ChartLine, { from, to }: Zoom): [number, number] {
  const begin = firstAtOrAfter(x, from);
  let end = firstAtOrAfter(x, to);
  while (end < x.length && (x[end] as number) <= to) end++;
  return [begin, end];
}

function LinesTable({ metric, lines, axis, reading, shown }: ChartTableProps) {
  return (
    <ScrollRegion label={`${metric} at the cursor`} className="max-h-72 overflow-auto">
      <table className="w-full border-collapse">
        <caption className="pb-1 text-left text-ink-3 text-xs">
          {reading ? `At ${placeWords(reading.x, axis, true)}` : 'Last point of each line'}; extremes over what is shown
        </caption>
        <thead>
          <tr>
            <th scope="col" className={cell}>
              Line
            </th>
            {[X_AXIS_WORDS[axis], 'Value', 'Band', 'n', 'Min', 'Max', 'Points'].map((title) => (
              <th key={title} scope="col" className={number}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => {
            const [begin, end] = shownPart(line, shown);
            const place = (reading ? reading.places.get(line.id) : end - 1) ?? -1;
            const x = line.x[place];
            const lows = (line.extent?.min ?? line.y)
              .slice(begin, end)
              .filter((y): y is number => y !== null && !Number.isNaN(y));
            const highs = (line.extent?.max ?? line.y)
              .slice(begin, end)
              .filter((y): y is number => y !== null && !Number.isNaN(y));
            const least = lows.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
            const most = highs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
            return (
              <tr key={line.id}>
                <th scope="row" className={`${cell} font-normal`}>
                  {line.label ?? line.id}
                </th>
                <td className={number}>{x === undefined ? '' : placeCell(x, axis)}</td>
                <td className={number}>{formatMetric(line.y[place])}</td>
                <td className={number}>{bandWords(line.band?.low[place], line.band?.high[place])}</td>
                <td className={number}>{line.n?.[place] ?? 1}</td>
                <td className={number}>{lows.length === 0 ? '' : formatMetric(least)}</td>
                <td className={number}>{highs.length === 0 ? '' : formatMetric(most)}</td>
                <td className={number}>{(end - begin).toLocaleString('en')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function PointsTable({ metric, lines, axis, shown }: Omit<ChartTableProps, 'reading'>) {
  const [page, setPage] = useState(0);
  const columns = lines.slice(0, MAX_COLUMNS);
  const byPlace = columns.map((line) => {
    const [begin, end] = shownPart(line, shown);
    return new Map(line.x.slice(begin, end).map((x, i) => [x, line.y[begin + i] ?? null]));
  });
  const places = [...new Set(byPlace.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  const pages = Math.max(1, Math.ceil(places.length / PAGE));
  const current = Math.min(page, pages - 1);
  return (
    <>
      <ScrollRegion label={`Points of ${metric}`} className="max-h-72 overflow-auto">
        <table className="w-full border-collapse">
          <caption className="pb-1 text-left text-ink-3 text-xs">
            {plural(places.length, 'place')} of the axis
            {lines.length > columns.length && `, the first ${columns.length} of ${lines.length} lines`}
          </caption>
          <thead>
            <tr>
              <th scope="col" className={number}>
                {X_AXIS_WORDS[axis]}
              </th>
              {columns.map((line) => (
                <th key={line.id} scope="col" className={`${number} max-w-40 truncate`} title={line.label ?? line.id}>
                  {line.label ?? line.id}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {places.slice(current * PAGE, (current + 1) * PAGE).map((x) => (
              <tr key={x}>
                <th scope="row" className={`${number} font-normal`}>
                  {placeCell(x, axis)}
                </th>
                {byPlace.map((points, i) => (
                  <td key={columns[i]?.id} className={number}>
                    {points.has(x) ? formatMetric(points.get(x)) : ''}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {pages > 1 && (
        <div className="mt-2 flex items-center gap-2 text-xs">
          <Button size="sm" disabled={current === 0} onClick={() => setPage(current - 1)}>
            Earlier
          </Button>
          <span className="num text-ink-3">
            {current + 1} of {pages}
          </span>
          <Button size="sm" disabled={current === pages - 1} onClick={() => setPage(current + 1)}>
            Later
          </Button>
        </div>
      )}
    </>
  );
}
