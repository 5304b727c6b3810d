'use client';
import { FACTOR_WORDS, type FactorName } from '@mealtable/protocol/factor-levels';
import { ArrowLeftRight, RotateCcw } from 'lucide-react';
import type { TableView } from '../study/table-view';
import { Button } from '../ui/button';
import { type Option, Select } from '../ui/select';
import type { Axes, Factor } from './choose-axes';
import { levelHeading } from './pivot-words';

interface PivotControlsProps {
  axes: Axes;
  view: TableView;
  onChange: (changes: Partial<TableView>) => void;
}

const ROWS = 'rows';
const COLUMNS = 'columns';
const OFF = 'off';
const AT = 'at:';

/** Where each factor stands: on an axis, innermost last, or held at one level. */
export function PivotControls({ axes, view, onChange }: PivotControlsProps) {
  const names = (factors: readonly Factor[]) => factors.map(({ name }) => name);
  const [rows, columns] = [names(axes.rows), names(axes.columns)];
  const without = (list: readonly FactorName[], name: FactorName) => list.filter((other) => other !== name);
  const place = (name: FactorName, where: string) =>
    onChange({
      rows: where === ROWS ? [...without(rows, name), name] : without(rows, name),
      columns: where === COLUMNS ? [...without(columns, name), name] : without(columns, name),
      ...(where.startsWith(AT) && { held: { ...view.held, [name]: where.slice(AT.length) } }),
    });
  const placeOf = (factor: Factor): string => {
    if (axes.rows.includes(factor)) return ROWS;
    if (axes.columns.includes(factor)) return COLUMNS;
    const held = axes.held.find((one) => one.factor === factor);
    return held ? AT + held.level.key : OFF;
  };
  return (
    <div className="mb-2 flex flex-wrap items-end gap-x-3 gap-y-2 rounded-panel border bg-sunken/40 px-3 py-2">
      {axes.factors.map((factor) => (
        <div key={factor.name} className="min-w-0">
          <span className="mb-1 block text-ink-3 text-xs">{FACTOR_WORDS[factor.name]}</span>
          <Select
            aria-label={`Where ${FACTOR_WORDS[factor.name]} stands`}
            value={placeOf(factor)}
            onChange={(where) => place(factor.name, where)}
            options={optionsOf(factor)}
            className="w-36"
          />
        </div>
      ))}
      <div className="flex gap-2">
        <Button onClick={() => onChange({ rows: columns, columns: rows })}>
          <ArrowLeftRight aria-hidden />
          Swap axes
        </Button>
        {(view.rows !== null || view.columns !== null || Object.keys(view.held).length > 0) && (
          <Button variant="ghost" onClick={() => onChange({ rows: null, columns: null, held: {} })}>
            <RotateCcw aria-hidden />
            As suggested
          </Button>
        )}
      </div>
    </div>
  );
}

function optionsOf({ name, levels }: Factor): Option<string>[] {
  const axes = [
    { value: ROWS, label: 'Rows' },
    { value: COLUMNS, label: 'Columns' },
  ];
  // One level alone need not be held.
  if (levels.length < 2) return [...axes, { value: OFF, label: 'Not shown' }];
  return [
    ...axes,
    ...levels.map((level) => ({
      value: AT + level.key,
      label: <span className="block max-w-60 truncate">Only {levelHeading(name, level)}</span>,
    })),
  ];
}
