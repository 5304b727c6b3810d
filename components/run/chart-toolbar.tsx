'use client';
import { X_AXES, X_AXIS_WORDS } from '../chart/axes';
import { SearchBox } from '../ui/search-box';
import { Segmented } from '../ui/segmented';
import { Slider } from '../ui/slider';
import { Switch } from '../ui/switch';
import type { ChartSettings } from './chart-settings';

interface ChartToolbarProps {
  settings: ChartSettings;
  onChange: (part: Partial<ChartSettings>) => void;
  filter: string;
  onFilter: (text: string) => void;
}

export function ChartToolbar({ settings, onChange, filter, onFilter }: ChartToolbarProps) {
  return (
    <div className="mb-4 flex flex-wrap items-center gap-x-5 gap-y-2">
      <Segmented
        label="X-axis"
        value={settings.axis}
        onChange={(axis) => onChange({ axis })}
        options={X_AXES.map((axis) => ({ value: axis, label: X_AXIS_WORDS[axis] }))}
      />
      <div className="flex items-center gap-2.5 text-sm">
        <span className="text-ink-2">Smoothing</span>
        <Slider
          label="Smoothing"
          min={0}
          max={0.99}
          step={0.01}
          value={settings.smoothing}
          onChange={(smoothing) => onChange({ smoothing })}
        />
        <span className="num w-8 text-ink-3 text-xs">{settings.smoothing.toFixed(2)}</span>
      </div>
      <Switch label="Log scale" checked={settings.isLog} onChange={(isLog) => onChange({ isLog })} />
      <SearchBox label="Filter charts" value={filter} onChange={onFilter} className="w-full sm:ml-auto sm:w-52" />
    </div>
  );
}
