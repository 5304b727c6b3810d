import type { ReactNode } from 'react';
import { Sparkline } from './sparkline';
import { formatQuantity, type Unit } from './units';

/** Places at the end in which a value counts as the current one: the very last may not have a sample yet. */
const CURRENT_PLACES = 3;

/** The newest value, unless it is long past. @param isStale the newest there is, however old */
export function currentValue(column: readonly (number | null)[] | undefined, isStale = false): number | null {
  if (!column) return null;
  const recent = isStale ? column : column.slice(-CURRENT_PLACES);
  return recent.findLast((value) => value !== null) ?? null;
}

interface TileProps {
  name: string;
  unit: Unit;
  at: readonly number[];
  /** Undefined: never measured; without any the tile is not there. A second one has the same scale. */
  columns: readonly ((number | null)[] | undefined)[];
  /** What the columns are called, where there are two. */
  names?: readonly string[];
  max?: number | null;
  /** Beside the current value. */
  more?: ReactNode;
  isStale: boolean;
}

/** One quantity: its name, its value now, and its last quarter of an hour. */
export function Tile({ name, unit, at, columns, names, max = null, more, isStale }: TileProps) {
  const known = columns.flatMap((column, index) => (column ? [{ column, name: names?.[index] }] : []));
  if (known.length === 0) return null;
  return (
    <div className="flex min-w-0 flex-col">
      <dt className="truncate text-2xs text-ink-3">{name}</dt>
      <dd className="flex grow flex-col justify-between">
        <p className="mb-1 flex min-w-0 flex-wrap items-baseline gap-x-2 text-xs leading-4">
          {known.map(({ column, name: label }) => (
            <span key={label ?? name} className="whitespace-nowrap">
              {label && <span className="text-ink-3">{label} </span>}
              <span className="num">{formatQuantity(currentValue(column, isStale), unit)}</span>
            </span>
          ))}
          {more && <span className="truncate text-ink-3">{more}</span>}
        </p>
        <Sparkline at={at} columns={known.map(({ column }) => column)} max={max} />
      </dd>
    </div>
  );
}
