'use client';
import { RotateCcw } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../ui/button';
import { SearchBox } from '../ui/search-box';
import { Segmented } from '../ui/segmented';
import { Slider } from '../ui/slider';
import { Switch } from '../ui/switch';
import { X_AXES, X_AXIS_WORDS } from './axes';
import type { ChangeView } from './use-chart-view';
import { type ChartView, MAX_SMOOTHING } from './view-state';

/** Most of what is useful lies close to 1: the slider's way is squared there. */
const toAmount = (way: number) => Math.min(MAX_SMOOTHING, Number((1 - (1 - way) ** 2).toFixed(3)));
const toWay = (amount: number) => 1 - Math.sqrt(1 - amount);

interface ChartToolbarProps {
  view: ChartView;
  change: ChangeView;
  /** How lines are grouped, and saved views. */
  children?: ReactNode;
}

export function ChartToolbar({ view, change, children }: ChartToolbarProps) {
  return (
    <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
      <Segmented
        label="X-axis"
        value={view.axis}
        // The zoom is in the unit of the axis.
        onChange={(axis) => change({ axis, zoom: null })}
        options={X_AXES.map((axis) => ({ value: axis, label: X_AXIS_WORDS[axis] }))}
      />
      <div className="flex items-center gap-2 text-sm">
        <span className="text-ink-2">Smoothing</span>
        <Slider
          label="Smoothing"
          min={0}
          max={1}
          step={0.01}
          value={toWay(view.smoothing)}
          onChange={(way) => change({ smoothing: toAmount(way) })}
        />
        <span className="num w-9 text-ink-3 text-xs">{view.smoothing === 0 ? 'off' : view.smoothing}</span>
      </div>
      <Switch label="Log" checked={view.isLog} onChange={(isLog) => change({ isLog })} />
      <Switch
        label="Ignore outliers"
        checked={view.ignoresOutliers}
        onChange={(ignoresOutliers) => change({ ignoresOutliers })}
      />
      {children}
      {view.zoom && (
        <Button size="sm" variant="ghost" onClick={() => change({ zoom: null })}>
          <RotateCcw aria-hidden />
          Reset zoom
        </Button>
      )}
      <SearchBox
        label="Search charts"
        value={view.search}
        onChange={(search) => change({ search: search.slice(0, 400), pages: {} })}
        className="w-full sm:ml-auto sm:w-48"
      />
    </div>
  );
}
