'use client';
import { metricsPresent, TOP1_METRIC_WORDS } from '@mealtable/protocol/top1-metrics';
import type { Top1Row } from '@mealtable/protocol/views';
import { Check, Columns3, Grid3x3, Link2, Rows3 } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../ui/button';
import { LabelledCheckbox } from '../ui/checkbox';
import { useCopy } from '../ui/copy-button';
import { Popover } from '../ui/popover';
import { Segmented } from '../ui/segmented';
import { Select } from '../ui/select';
import { COST_NAMES, type CostName, type TableView } from './table-view';
import { linkToTable } from './use-table-view';

const COSTS: Record<CostName, string> = {
  hours: 'GPU-hours, or hours of CPU slots',
  parameters: 'Parameters',
  macs: 'GMACs of a forward pass',
  images: 'Training images per second',
};
const DECIMALS = ['0', '1', '2', '3'] as const;

interface Top1ToolbarProps {
  view: TableView;
  onChange: (changes: Partial<TableView>) => void;
  rows: readonly Top1Row[];
  /** At the other end. */
  children: ReactNode;
}

export function Top1Toolbar({ view, onChange, rows, children }: Top1ToolbarProps) {
  const isPivot = view.view === 'pivot';
  // A chosen one stays in sight even while no run has it.
  const metrics = [...new Set([...metricsPresent(rows), view.metric])];
  const toggle = (name: CostName, isShown: boolean) =>
    onChange({ costs: COST_NAMES.filter((known) => (known === name ? isShown : view.costs.includes(known))) });
  return (
    <div className="mb-2 flex flex-wrap items-center gap-2">
      <Segmented
        label="Kind of table"
        value={view.view}
        onChange={(next) => onChange({ view: next })}
        options={[
          { value: 'variants', label: <WithIcon icon={<Rows3 aria-hidden />}>Variants</WithIcon> },
          { value: 'pivot', label: <WithIcon icon={<Grid3x3 aria-hidden />}>Pivot</WithIcon> },
        ]}
      />
      <Select
        aria-label="Which top-1"
        value={view.metric}
        onChange={(metric) => onChange({ metric })}
        options={metrics.map((value) => ({ value, label: TOP1_METRIC_WORDS[value].name }))}
        className="w-40"
      />
      <Popover
        label="What the table shows"
        trigger={
          <Button>
            <Columns3 aria-hidden />
            Show
          </Button>
        }
      >
        <div className="space-y-3">
          {isPivot ? (
            <LabelledCheckbox
              label="Differences to the reference"
              hint="In every cell, paired by seed, with interval and p"
              checked={view.differences}
              onChange={(differences) => onChange({ differences })}
            />
          ) : (
            <fieldset>
              <legend className="mb-1 font-medium text-ink-3 text-xs">Columns of cost</legend>
              {COST_NAMES.map((name) => (
                <LabelledCheckbox
                  key={name}
                  label={COSTS[name]}
                  checked={view.costs.includes(name)}
                  onChange={(isShown) => toggle(name, isShown)}
                />
              ))}
            </fieldset>
          )}
          <div className="flex items-center justify-between gap-3">
            <span className="font-medium text-ink-3 text-xs">Decimals</span>
            <Segmented
              label="Decimals of top-1"
              value={String(view.decimals) as (typeof DECIMALS)[number]}
              onChange={(next) => onChange({ decimals: Number(next) })}
              options={DECIMALS.map((value) => ({ value, label: value }))}
            />
          </div>
        </div>
      </Popover>
      <div className="flex flex-wrap items-center gap-2 sm:ml-auto">{children}</div>
    </div>
  );
}

const WithIcon = ({ icon, children }: { icon: ReactNode; children: string }) => (
  <span className="inline-flex items-center gap-1.5 [&_svg]:size-3.5">
    {icon}
    {children}
  </span>
);

/** A link to the table exactly as it is, every choice said. @param view with what the study's defaults make of it now */
export function CopyLinkButton({ view }: { view: TableView }) {
  const [copied, copy] = useCopy();
  return (
    <Button size="sm" onClick={() => void copy(linkToTable(view))}>
      {copied ? <Check aria-hidden className="text-good" /> : <Link2 aria-hidden />}
      {copied ? 'Copied' : 'Copy link'}
    </Button>
  );
}
