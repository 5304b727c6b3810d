'use client';
import { DEFAULT_COLUMNS, type TableColumn } from '@mealtable/protocol/run-query-address';
import type { RunField, RunFields } from '@mealtable/protocol/run-query-fields';
import { bestOf, type MetricSummaryName } from '@mealtable/protocol/run-query-metrics';
import { MAX_TABLE_COLUMNS } from '@mealtable/protocol/run-query-view';
import { Columns3 } from 'lucide-react';
import { useState } from 'react';
import { formatCount } from '../format';
import { Button } from '../ui/button';
import { LabelledCheckbox } from '../ui/checkbox';
import { cn } from '../ui/cn';
import { Popover } from '../ui/popover';
import { SearchBox } from '../ui/search-box';
import { hideColumn, showColumn } from './change-columns';

interface ColumnsPanelProps {
  columns: readonly TableColumn[];
  fields: RunFields;
  onChange: (columns: TableColumn[]) => void;
}

/** More of a list are found by searching. */
const MAX_LISTED = 60;
const SECTIONS = [
  { group: 'run', name: 'Run' },
  { group: 'factor', name: 'Factors' },
  { group: 'config', name: 'Config' },
] as const;

/** Which columns there are. */
export function ColumnsPanel({ columns, fields, onChange }: ColumnsPanelProps) {
  const [search, setSearch] = useState('');
  const shown = new Set(columns.map(({ field }) => field));
  const toggle = (name: string, isShown: boolean) =>
    onChange(isShown ? showColumn(columns, name).slice(0, MAX_TABLE_COLUMNS) : hideColumn(columns, name));
  const wanted = search.trim().toLowerCase();
  const fits = (...texts: string[]) => texts.some((text) => text.toLowerCase().includes(wanted));
  const plain = fields.withoutMetrics().filter(({ name, words }) => fits(name, words));
  const metrics = fields.schema.metrics.filter((name) => fits(name));
  return (
    <Popover
      label="Columns"
      wide
      trigger={
        <Button>
          <Columns3 aria-hidden /> Columns
        </Button>
      }
    >
      <div className="sticky -top-3 z-10 -mx-3 -mt-3 flex gap-2 border-b bg-raised p-3">
        <SearchBox label="Search columns" value={search} onChange={setSearch} className="grow" />
        <Button onClick={() => onChange([...DEFAULT_COLUMNS])}>Usual ones</Button>
      </div>
      {SECTIONS.map(({ group, name }) => (
        <Section
          key={group}
          name={name}
          all={plain.filter((field) => field.group === group)}
          {...{ shown, toggle, varied: fields.schema.varied }}
        />
      ))}
      {metrics.length > 0 && (
        <fieldset className="mt-3">
          <legend className="mb-1 font-medium text-ink-3 text-xs">Metrics</legend>
          <ul className="divide-y">
            {metrics.slice(0, MAX_LISTED).map((metric) => (
              <MetricChoices key={metric} metric={metric} {...{ shown, toggle }} />
            ))}
          </ul>
          <MoreToFind count={metrics.length - MAX_LISTED} />
        </fieldset>
      )}
      {plain.length + metrics.length === 0 && (
        <p className="py-6 text-center text-ink-3 text-sm">No column has that in its name.</p>
      )}
    </Popover>
  );
}

interface Chosen {
  shown: ReadonlySet<string>;
  toggle: (name: string, isShown: boolean) => void;
}

function Section({
  name,
  all,
  varied,
  shown,
  toggle,
}: Chosen & { name: string; all: RunField[]; varied: readonly string[] }) {
  if (all.length === 0) return null;
  return (
    <fieldset className="mt-3">
      <legend className="mb-1 font-medium text-ink-3 text-xs">{name}</legend>
      <div className="grid gap-x-4 sm:grid-cols-2">
        {all.slice(0, MAX_LISTED).map((field) => (
          <LabelledCheckbox
            key={field.name}
            checked={shown.has(field.name)}
            onChange={(isShown) => toggle(field.name, isShown)}
            label={<span className="break-words">{field.words}</span>}
            hint={varied.includes(field.name) ? 'varies in this study' : undefined}
          />
        ))}
      </div>
      <MoreToFind count={all.length - MAX_LISTED} />
    </fieldset>
  );
}

const MoreToFind = ({ count }: { count: number }) =>
  count > 0 ? <p className="pt-1 text-ink-3 text-xs">{formatCount(count)} more: search for them.</p> : null;

/** The last value where none is best. */
const CHOICES: readonly { summary: MetricSummaryName; word: string }[] = [
  { summary: 'best', word: 'best' },
  { summary: 'bestEpoch', word: 'its epoch' },
  { summary: 'last', word: 'last' },
  { summary: 'min', word: 'min' },
  { summary: 'max', word: 'max' },
];

function MetricChoices({ metric, shown, toggle }: Chosen & { metric: string }) {
  const choices = bestOf(metric) === null ? CHOICES.slice(2) : CHOICES;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
      <span className="min-w-0 grow basis-40 break-all font-mono text-xs">{metric}</span>
      <span className="flex flex-wrap gap-1">
        {choices.map(({ summary, word }) => {
          const name = `${metric}.${summary}`;
          const isShown = shown.has(name);
          return (
            <button
              key={summary}
              type="button"
              aria-pressed={isShown}
              aria-label={`${metric} ${word}`}
              onClick={() => toggle(name, !isShown)}
              className={cn(
                'h-6 rounded-control border px-1.5 text-xs pointer-coarse:h-9',
                isShown ? 'border-accent-line bg-accent-soft text-accent' : 'text-ink-2 hover:bg-hover',
              )}
            >
              {word}
            </button>
          );
        })}
      </span>
    </li>
  );
}
