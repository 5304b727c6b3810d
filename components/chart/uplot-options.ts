import type uPlot from 'uplot';
import { type ChartLine, nearestWithValue } from './align-lines.ts';
import type { XAxis } from './axes.ts';
import type { ChartTheme } from './chart-theme.ts';
import { lineColor, lineDash, type Theme } from './palette.ts';
import { formatClockTick, formatSecondsTick, formatTick } from './ticks.ts';

/** What decides the picture apart from the numbers; a change of it builds the chart anew. */
export interface ChartShape {
  axis: XAxis;
  isLog: boolean;
  theme: Theme;
  height: number;
  syncKey: string | null;
}

const FAINT = 0.26;
const MAX_CURSOR_POINTS = 32;
export const DIMMED = 0.1;

function seriesOf(line: ChartLine, theme: Theme): uPlot.Series[] {
  const main: uPlot.Series = {
    label: line.id,
    stroke: lineColor(line.color, theme, line.look === 'faint' ? FAINT : 1),
    width: line.look === 'faint' ? 1 : 1.5,
    dash: lineDash(line.color),
    alpha: line.isDimmed ? DIMMED : 1,
    // Only a lone point needs a dot to be seen.
    points: { show: (u, i) => countValues(u.data[i]) === 1, size: 5 },
  };
  const edge: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false } };
  return line.band ? [main, edge, edge] : [main];
}

function countValues(column: ArrayLike<unknown> | undefined): number {
  let count = 0;
  for (let i = 0; column && i < column.length && count < 2; i++)
    if (column[i] !== null && column[i] !== undefined) count++;
  return count;
}

function bandsOf(lines: readonly ChartLine[], theme: Theme): uPlot.Band[] {
  const bands: uPlot.Band[] = [];
  let column = 1;
  for (const line of lines) {
    if (line.band) bands.push({ series: [column + 1, column + 2], fill: lineColor(line.color, theme, 0.13) });
    column += line.band ? 3 : 1;
  }
  return bands;
}

const formatX = (axis: XAxis) => (axis === 'elapsed' ? formatSecondsTick : formatTick);

/** Steps that make round times. */
const TIME_STEPS = [
  0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800,
];

export function buildOptions(
  lines: readonly ChartLine[],
  shape: ChartShape,
  theme: ChartTheme,
  width: number,
  hooks: uPlot.Hooks.Arrays,
): uPlot.Options {
  const common = {
    stroke: theme.text,
    font: theme.font,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: shape.height,
    // A time of day at the right edge needs half its width.
    padding: [8, shape.axis === 'clock' ? 18 : 8, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: shape.axis === 'clock' },
      y: shape.isLog ? { distr: 3 } : { range: { min: { pad: 0.08 }, max: { pad: 0.08 } } },
    },
    series: [{}, ...lines.flatMap((line) => seriesOf(line, shape.theme))],
    bands: bandsOf(lines, shape.theme),
    axes: [
      {
        ...common,
        grid: { show: false },
        size: 24,
        gap: 4,
        space: 56,
        ...(shape.axis === 'elapsed' && { incrs: TIME_STEPS }),
        values: (_, splits, _axis, _space, step) =>
          splits.map((value) =>
            shape.axis === 'clock' ? formatClockTick(value * 1000, step * 1000) : formatX(shape.axis)(value),
          ),
      },
      {
        ...common,
        gap: 6,
        space: 28,
        size: (_, values) => 14 + Math.max(3, ...(values ?? []).map((value) => value?.length ?? 0)) * 6,
        values: (_, splits) => splits.map((value) => (value === null ? '' : formatTick(value))),
      },
    ],
    cursor: {
      y: false,
      // Each is an element of the page: with many lines they cost more than they show.
      points: { show: lines.length <= MAX_CURSOR_POINTS, size: 6, width: 1.5, fill: theme.ground },
      drag: { x: true, y: false, dist: 6 },
      dataIdx: (u, series, index) => (series === 0 ? index : (nearestWithValue(u.data[series] ?? [], index) ?? index)),
      ...(shape.syncKey !== null && { sync: { key: shape.syncKey, setSeries: false } }),
    },
    hooks,
  };
}
