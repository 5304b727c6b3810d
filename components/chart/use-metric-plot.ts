'use client';
/** A metric's plot in an element: reads what it needs, draws when something came, and tells the page a little of it now and then. */
import { useTheme } from 'next-themes';
import { type RefObject, useEffect, useEffectEvent, useRef, useState } from 'react';
import { placesOf } from './axes';
import { buildLines, zoomSteps } from './build-lines';
import type { LineGroup } from './chart-groups';
import type { ChartLine } from './chart-line';
import { ChartPlot, type CursorReading, type Zoom } from './chart-plot';
import { readChartTheme } from './chart-theme';
import { type DrawJob, drawSoon, forgetDrawing } from './draw-queue';
import type { SeriesStore } from './series-store';
import type { ChartView } from './view-state';

/** Entries of all series of one chart, about; more are not told apart. */
const MAX_ENTRIES = 24_000;
const LEAST_BUCKETS = 120;
/** Entries to a pixel. */
const FINENESS = 1.2;
/** What the page shows around the plot changes at most this often while points arrive. */
const TELL_MS = 500;

export interface MetricPlotProps {
  metric: string;
  /** Of this chart, without those that are hidden. */
  groups: readonly LineGroup[];
  store: SeriesStore;
  view: ChartView;
  /** Key of the group that is pointed at. */
  focused: string | null;
  syncKey: string;
  height: number;
  /** Steps to be marked, where another attempt went on. */
  markedSteps: readonly number[];
  onZoom: (zoom: Zoom | null) => void;
}
export interface PlotState {
  lines: readonly ChartLine[];
  points: number;
  isLoaded: boolean;
}

export function useMetricPlot(
  props: MetricPlotProps,
  target: RefObject<HTMLDivElement | null>,
  figure: RefObject<HTMLElement | null>,
) {
  const { metric, groups, store, view, focused, syncKey, height, markedSteps } = props;
  const { resolvedTheme } = useTheme();
  const theme = resolvedTheme === 'dark' ? 'dark' : 'light';
  const plot = useRef<ChartPlot | null>(null);
  const job = useRef<DrawJob | null>(null);
  const toldAt = useRef(0);
  const telling = useRef<ReturnType<typeof setTimeout> | null>(null);
  const [state, setState] = useState<PlotState>({ lines: [], points: 0, isLoaded: false });
  const [reading, setReading] = useState<CursorReading | null>(null);

  const want = () => {
    const runs = groups.flatMap((group) => group.runs.map((run) => run.id));
    const width = target.current?.clientWidth ?? 300;
    const most = Math.max(LEAST_BUCKETS, Math.floor(MAX_ENTRIES / Math.max(1, runs.length)));
    const buckets = Math.max(LEAST_BUCKETS, Math.min(most, Math.ceil(width * FINENESS)));
    return { metric, runs, buckets, zoom: zoomSteps(store, metric, view) };
  };

  const draw = useEffectEvent(() => {
    if (!plot.current) return;
    const { lines, points } = buildLines({ series: store, metric, groups, view, focused });
    const marks = markPlaces(store, metric, groups, view, markedSteps);
    plot.current.show({ lines, marks, zoom: view.zoom, ignoresOutliers: view.ignoresOutliers });
    if (figure.current) figure.current.dataset.points = String(points);
    const tell = () => {
      telling.current = null;
      toldAt.current = performance.now();
      setState({ lines: plot.current?.lines ?? [], points, isLoaded: store.isLoaded(want()) });
    };
    if (telling.current) clearTimeout(telling.current);
    telling.current = setTimeout(tell, Math.max(0, toldAt.current + TELL_MS - performance.now()));
  });
  const zoom = useEffectEvent((next: Zoom | null) => props.onZoom(next));

  useEffect(() => {
    const element = target.current;
    if (!element) return;
    let frame = 0;
    const made = new ChartPlot(
      element,
      { axis: view.axis, isLog: view.isLog, theme, height, syncKey },
      readChartTheme(),
      {
        onZoom: (next) => zoom(next),
        onCursor: (next) => {
          cancelAnimationFrame(frame);
          frame = requestAnimationFrame(() => setReading(next));
        },
      },
    );
    plot.current = made;
    const mine: DrawJob = { draw: () => draw() };
    job.current = mine;
    drawSoon(mine);
    const observer = new ResizeObserver(() => made.resize(element.clientWidth));
    observer.observe(element);
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame);
      forgetDrawing(mine);
      made.destroy();
      plot.current = null;
      job.current = null;
      if (telling.current) clearTimeout(telling.current);
      telling.current = null;
    };
  }, [target, view.axis, view.isLog, theme, height, syncKey]);

  const drawNow = () => {
    if (!job.current) return;
    // What the reader changed is to be seen at once, whatever the last drawing cost.
    delete job.current.drawnAt;
    drawSoon(job.current);
  };
  const { smoothing, group, band, showsSeeds, ignoresOutliers, zoom: zoomed } = view;
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are what the lines are made of
  useEffect(drawNow, [groups, focused, smoothing, group, band, showsSeeds, ignoresOutliers, zoomed, markedSteps]);

  const ask = useEffectEvent(() =>
    store.want(want(), () => {
      if (job.current) drawSoon(job.current);
    }),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are what is to be read
  useEffect(() => ask(), [store, metric, groups, zoomed, view.axis, height]);

  return { plot, state, reading, theme } as const;
}

function markPlaces(
  store: SeriesStore,
  metric: string,
  groups: readonly LineGroup[],
  { axis }: ChartView,
  steps: readonly number[],
): number[] {
  const runId = groups[0]?.runs[0]?.id;
  const columns = runId === undefined || steps.length === 0 ? undefined : store.columns(runId, metric);
  if (!columns || runId === undefined) return [];
  const places = placesOf(columns, axis, store.startOf(runId));
  // Where the first point of the later attempt is.
  return steps.flatMap((step) => places[columns.step.findIndex((at) => at > step)] ?? []);
}
