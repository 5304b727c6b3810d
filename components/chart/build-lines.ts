/** From what is known of the runs' series to the lines of a chart. */
import { placesOf, stepsBetween, type XAxis } from './axes.ts';
import type { ChartRun, LineGroup } from './chart-groups.ts';
import type { ChartLine } from './chart-line.ts';
import { type Columns, pointsOf, type Range } from './columns.ts';
import { type Curve, meanCurve } from './mean-curve.ts';
import { smooth } from './smooth.ts';
import type { ChartView } from './view-state.ts';

/** What a page knows of its runs' series; the store is one. */
export interface SeriesLookup {
  columns(runId: string, metric: string): Columns | undefined;
  startOf(runId: string): number | null;
}
export interface LinesInput {
  series: SeriesLookup;
  metric: string;
  /** Of one chart, hidden ones left out. */
  groups: readonly LineGroup[];
  view: Pick<ChartView, 'axis' | 'smoothing' | 'group' | 'band' | 'showsSeeds'>;
  /** Key of the group under the pointer; the others step back. */
  focused: string | null;
}
export interface BuiltLines {
  lines: ChartLine[];
  /** Points that the lines are of. */
  points: number;
}
interface Placed {
  run: ChartRun;
  columns: Columns;
  x: number[];
}

/** Lines whose ids are the groups' keys; with smoothing and with single seeds, what stands behind them has ids of its own. */
export function buildLines({ series, metric, groups, view, focused }: LinesInput): BuiltLines {
  const placed = groups.map((group) => ({ group, members: placeRuns(series, metric, group.runs, view.axis) }));
  const width = widthOf(placed.flatMap(({ members }) => members.map(({ x }) => x)));
  const lines = placed.flatMap(({ group, members }) => {
    const look = { color: group.color, dash: group.dash, isDimmed: focused !== null && focused !== group.key };
    if (members.length === 0) return [];
    if (view.group === 'runs') return runLines(group, members[0] as Placed, view.smoothing, width, look);
    return meanLines(group, members, view, width, look);
  });
  const points = placed.reduce(
    (sum, { members }) => sum + members.reduce((of, { columns }) => of + pointsOf(columns), 0),
    0,
  );
  return { lines, points };
}

function placeRuns(series: SeriesLookup, metric: string, runs: readonly ChartRun[], axis: XAxis): Placed[] {
  return runs.flatMap((run) => {
    const columns = series.columns(run.id, metric);
    if (!columns || columns.step.length === 0) return [];
    return { run, columns, x: placesOf(columns, axis, series.startOf(run.id)) };
  });
}

function widthOf(places: readonly (readonly number[])[]): number {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const x of places) {
    from = Math.min(from, x[0] ?? from);
    to = Math.max(to, x.at(-1) ?? to);
  }
  return Math.max(0, to - from);
}

type Look = Pick<ChartLine, 'color' | 'dash' | 'isDimmed'>;

const extentOf = ({ isRaw, min, max, first, last }: Columns) => (isRaw ? {} : { extent: { min, max, first, last } });

function runLines(
  { key, label }: LineGroup,
  { columns, x }: Placed,
  smoothing: number,
  width: number,
  look: Look,
): ChartLine[] {
  const raw: ChartLine = { id: key, label, x, y: columns.value, ...extentOf(columns), ...look };
  if (smoothing === 0) return [raw];
  const y = smooth(x, columns.value, smoothing, width, columns.count);
  return [
    { ...raw, id: `${key} raw`, look: 'faint' },
    { id: key, label, x, y, ...look },
  ];
}

function meanLines(
  { key, label }: LineGroup,
  members: readonly Placed[],
  { band, smoothing, showsSeeds }: LinesInput['view'],
  width: number,
  look: Look,
): ChartLine[] {
  const whole = members.filter(({ run }) => !run.endedEarly);
  const counted = whole.length > 0 ? whole : members;
  const mean = meanCurve(
    counted.map(({ x, columns }): Curve => ({ x, y: columns.value })),
    band,
  );
  if (mean.x.length === 0) return [];
  const even = (values: readonly number[]) => smooth(mean.x, values, smoothing, width);
  const seeds = showsSeeds
    ? members.map(
        ({ run, columns, x }): ChartLine => ({
          ...{ id: `${key} ${run.id}`, label: run.label, x, y: columns.value, look: 'faint' as const },
          ...extentOf(columns),
          ...look,
        }),
      )
    : [];
  const raw: ChartLine[] =
    smoothing > 0 && !showsSeeds ? [{ id: `${key} raw`, label, x: mean.x, y: mean.mean, look: 'faint', ...look }] : [];
  return [
    ...seeds,
    ...raw,
    {
      ...{ id: key, label, x: mean.x, y: even(mean.mean), n: mean.n, most: mean.most },
      ...look,
      ...(band !== 'none' && mean.most > 1 && { band: { low: even(mean.low), high: even(mean.high) } }),
    },
  ];
}

/** @returns for each run the steps that the zoomed part of the axis holds, as far as they are known */
export function zoomSteps(
  series: SeriesLookup,
  metric: string,
  { axis, zoom }: Pick<ChartView, 'axis' | 'zoom'>,
): ((runId: string) => Range | null) | null {
  if (zoom === null) return null;
  return (runId) => {
    const columns = series.columns(runId, metric);
    if (!columns || columns.step.length === 0) return null;
    return stepsBetween(columns, placesOf(columns, axis, series.startOf(runId)), zoom.from, zoom.to);
  };
}
