import type uPlot from 'uplot';
import type { XAxis } from './axes.ts';
import type { PlotShape } from './chart-plot.ts';
import type { ChartTheme } from './chart-theme.ts';
import { logTicks } from './nice-ticks.ts';
import { formatClockTick, formatSecondsTick, formatTick } from './ticks.ts';

const formatX = (axis: XAxis) => (axis === 'elapsed' ? formatSecondsTick : formatTick);

/** Steps that make round times. */
const TIME_STEPS = [
  0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800,
];

/** Axes, grid, cursor and dragging; scales are set by whoever draws, and no data are uPlot's. @param onReset a double click */
export function buildOptions(
  shape: PlotShape,
  theme: ChartTheme,
  width: number,
  hooks: uPlot.Hooks.Arrays,
  onReset: () => void,
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
    // The last label of the x-axis needs half its width.
    padding: [8, 18, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: shape.axis === 'clock', range: (_, min, max) => [min, max] },
      y: {
        auto: false,
        distr: shape.isLog ? 3 : 1,
        range: (_, min, max) => [min ?? (shape.isLog ? 0.1 : 0), max ?? (shape.isLog ? 10 : 1)],
      },
    },
    series: [{}],
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
        scale: 'y',
        gap: 6,
        space: 28,
        size: (_, values) => 14 + Math.max(3, ...(values ?? []).map((value) => value?.length ?? 0)) * 6,
        values: (_, splits) => splits.map((value) => (value === null ? '' : formatTick(value))),
        ...(shape.isLog && {
          splits: (_: uPlot, _axis: number, min: number, max: number) => logTicks(min, max),
          filter: (_: uPlot, splits: number[]) => splits,
        }),
      },
    ],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, dist: 6, setScale: false },
      bind: {
        dblclick: () => () => {
          onReset();
          return null;
        },
      },
      ...(shape.syncKey !== null && {
        sync: {
          key: shape.syncKey,
          setSeries: false,
          scales: ['x', null],
          // A range that is dragged is told by onZoom; the other charts need no part in the dragging.
          filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
        },
      }),
    },
    hooks,
  };
}
