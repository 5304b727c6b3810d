'use client';
import { Download, EllipsisVertical, Image, Maximize2, Minimize2, Table2 } from 'lucide-react';
import { memo, useCallback, useRef, useState } from 'react';
import { formatMetric, plural } from '../format';
import { IconButton } from '../ui/button';
import { cn } from '../ui/cn';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { toastError } from '../ui/toast';
import { X_AXIS_WORDS } from './axes';
import type { LineGroup } from './chart-groups';
import { isRead } from './chart-line';
import type { ChartPlot, CursorReading, Zoom } from './chart-plot';
import { ChartTable } from './chart-table';
import { MetricPlot } from './metric-plot';
import { placeWords } from './place-words';
import { type SavedAs, saveChart } from './save-chart';
import type { SeriesStore } from './series-store';
import type { ChangeView } from './use-chart-view';
import { useIsNear } from './use-is-near';
import type { PlotState } from './use-metric-plot';
import type { ChartView } from './view-state';

const HEIGHT = 176;
const LARGE_HEIGHT = 400;

/** What the charts of a page have in common. */
export interface ChartContext {
  /** Those that are drawn. */
  groups: readonly LineGroup[];
  store: SeriesStore;
  view: ChartView;
  change: ChangeView;
  focused: string | null;
  syncKey: string;
  markedSteps: readonly number[];
}

interface MetricChartProps extends ChartContext {
  metric: string;
  /** The metric's name within its section. */
  name: string;
  /** Of a small chart among others of the same metric. */
  facet: string | null;
}

/** One chart in its frame: what it is of, what it says at the cursor, and what can be done with it. */
export const MetricChart = memo(function MetricChart(props: MetricChartProps) {
  const { metric, name, facet, groups, store, view, change, focused, syncKey, markedSteps } = props;
  const figure = useRef<HTMLElement>(null);
  const plot = useRef<ChartPlot | null>(null);
  const isNear = useIsNear(figure);
  const [state, setState] = useState<PlotState>({ lines: [], points: 0, isLoaded: false });
  const [reading, setReading] = useState<CursorReading | null>(null);
  const id = facet === null ? metric : `${metric} | ${facet}`;
  const isLarge = view.large === id;
  const hasTable = view.table === id;
  const onZoom = useCallback((zoom: Zoom | null) => change({ zoom }), [change]);

  const named = state.lines.filter(isRead);
  const [only] = named.length === 1 ? named : [];
  const value = only && (reading ? reading.values.get(only.id) : only.y.at(-1));
  const title = facet === null ? metric : `${metric}, ${facet}`;
  const last = only ? `, last ${formatMetric(only.y.at(-1))}` : '';
  const label = `${title}: ${plural(named.length, 'line')} by ${X_AXIS_WORDS[view.axis].toLowerCase()}, ${plural(state.points, 'point')}${last}`;
  const save = (as: SavedAs) => {
    if (!plot.current) return;
    const input = { metric, title, groups, lines: plot.current.lines, series: store, view, plot: plot.current };
    saveChart(as, input).catch((error) => toastError('The chart could not be saved', error));
  };
  return (
    <figure
      ref={figure}
      data-testid={`chart-${metric}`}
      className={cn(
        'group/chart min-w-0 rounded-panel border bg-surface pt-1.5 pr-1 pb-1 pl-1',
        isLarge && 'col-span-full',
      )}
    >
      <figcaption className="flex min-h-7 items-center gap-2 pr-1 pl-2.5">
        <span className="min-w-0 truncate font-medium text-sm" title={title}>
          {name.replaceAll('_', ' ')}
          {facet !== null && <span className="font-normal text-ink-3"> · {facet}</span>}
        </span>
        <span className="num ml-auto shrink-0 text-sm">
          {reading && (
            <span className="text-ink-3 text-xs">
              {placeWords(reading.x, view.axis)}
              {only && ' · '}
            </span>
          )}
          {only && formatMetric(value)}
        </span>
        <Menu
          trigger={
            <IconButton label={`More of ${title}`} size="sm" className="-mr-1">
              <EllipsisVertical aria-hidden />
            </IconButton>
          }
        >
          <MenuItem
            icon={isLarge ? <Minimize2 aria-hidden /> : <Maximize2 aria-hidden />}
            onSelect={() => change({ large: isLarge ? null : id })}
          >
            {isLarge ? 'Show small' : 'Show large'}
          </MenuItem>
          <MenuItem icon={<Table2 aria-hidden />} onSelect={() => change({ table: hasTable ? null : id })}>
            {hasTable ? 'Hide table' : 'Show as table'}
          </MenuItem>
          <MenuSeparator />
          <MenuItem icon={<Image aria-hidden />} onSelect={() => save('png')}>
            Save as PNG
          </MenuItem>
          <MenuItem icon={<Image aria-hidden />} onSelect={() => save('svg')}>
            Save as SVG
          </MenuItem>
          <MenuItem icon={<Download aria-hidden />} onSelect={() => save('csv')}>
            Save as CSV
          </MenuItem>
        </Menu>
      </figcaption>
      {isNear ? (
        <MetricPlot
          figure={figure}
          label={label}
          plotRef={plot}
          metric={metric}
          groups={groups}
          store={store}
          view={view}
          focused={focused}
          syncKey={syncKey}
          height={isLarge ? LARGE_HEIGHT : HEIGHT}
          markedSteps={markedSteps}
          onZoom={onZoom}
          onState={setState}
          onReading={setReading}
        />
      ) : (
        <div style={{ height: isLarge ? LARGE_HEIGHT : HEIGHT }} />
      )}
      {hasTable && (
        <ChartTable
          metric={title}
          lines={state.lines}
          axis={view.axis}
          reading={reading}
          shown={view.zoom ?? { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }}
        />
      )}
    </figure>
  );
});
