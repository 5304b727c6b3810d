'use client';
import type { FactorName } from '@mealtable/protocol/factor-levels';
import { ChevronDown, Layers } from 'lucide-react';
import { Button } from '../ui/button';
import { LabelledCheckbox } from '../ui/checkbox';
import { Popover } from '../ui/popover';
import { Segmented } from '../ui/segmented';
import { Select } from '../ui/select';
import { Switch } from '../ui/switch';
import type { ChartFactor } from './chart-groups';
import { BAND_WORDS, BANDS } from './mean-curve';
import type { ChangeView } from './use-chart-view';
import type { ChartView } from './view-state';

interface GroupControlsProps {
  view: ChartView;
  change: ChangeView;
  /** Those that differ within the study. */
  factors: readonly ChartFactor[];
}

const kindOf = ({ group }: ChartView) => (Array.isArray(group) ? 'factors' : group);

/** What makes a line, and how lines are told apart. */
export function GroupControls({ view, change, factors }: GroupControlsProps) {
  const chosen = Array.isArray(view.group) ? view.group : [];
  const toggle = (name: FactorName) => {
    const next = chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name];
    change({ group: next.length === 0 ? 'variants' : next, hidden: [] });
  };
  const looks = [
    { value: 'none', label: 'as the line' },
    ...factors.map(({ name, title }) => ({ value: name, label: title })),
  ];
  return (
    <>
      <Segmented
        label="Lines"
        value={kindOf(view)}
        onChange={(kind) =>
          change({
            group: kind === 'factors' ? factors.slice(0, 1).map(({ name }) => name) : kind,
            hidden: [],
          })
        }
        options={[
          { value: 'runs', label: 'Runs' },
          { value: 'variants', label: 'All but seed', title: 'The mean over the seeds of each variant' },
          ...(factors.length > 0 ? [{ value: 'factors' as const, label: 'By factor' }] : []),
        ]}
      />
      <Popover
        label="Grouping"
        trigger={
          <Button aria-label="Grouping: factors, colour, dash, facets, band">
            <Layers aria-hidden />
            Grouping
            <ChevronDown aria-hidden className="text-ink-3" />
          </Button>
        }
      >
        <div className="space-y-3 text-sm">
          {Array.isArray(view.group) && (
            <fieldset className="space-y-1.5">
              <legend className="mb-1 text-ink-3 text-xs">Runs alike in these make a line</legend>
              {factors.map(({ name, title, levels }) => (
                <LabelledCheckbox
                  key={name}
                  checked={chosen.includes(name)}
                  onChange={() => toggle(name)}
                  label={`${title} (${levels.length})`}
                />
              ))}
            </fieldset>
          )}
          {factors.length > 0 &&
            (['color', 'dash', 'facet'] as const).map((field) => (
              <div key={field} className="flex items-center justify-between gap-3">
                <span id={`charts-${field}`} className="text-ink-2">
                  {{ color: 'Colour', dash: 'Dash', facet: 'Facets' }[field]}
                </span>
                <Select
                  aria-label={{ color: 'Colour', dash: 'Dash', facet: 'Facets' }[field]}
                  value={view[field] ?? 'none'}
                  onChange={(next) =>
                    change({
                      [field]: next === 'none' ? null : next,
                      ...(field === 'facet' && { large: null, table: null }),
                    })
                  }
                  options={looks.map((option) =>
                    field === 'facet' && option.value === 'none' ? { value: 'none', label: 'none' } : option,
                  )}
                  className="w-44"
                />
              </div>
            ))}
          {view.group !== 'runs' && (
            <>
              <div className="flex items-center justify-between gap-3">
                <span className="text-ink-2">Band</span>
                <Select
                  aria-label="Band"
                  value={view.band}
                  onChange={(band) => change({ band })}
                  options={BANDS.map((band) => ({ value: band, label: BAND_WORDS[band] }))}
                  className="w-44"
                />
              </div>
              <Switch
                label="Single runs behind the mean"
                checked={view.showsSeeds}
                onChange={(showsSeeds) => change({ showsSeeds })}
              />
              <p className="text-ink-3 text-xs">
                Failed and cancelled runs are in no mean. A line is dotted where some of its runs have ended: there the
                mean is of fewer, and n says of how many.
              </p>
            </>
          )}
        </div>
      </Popover>
    </>
  );
}
