/** Which runs match, in which order, in which groups. */
import type { Query } from '@mealtable/protocol/run-query';
import type { RunField } from '@mealtable/protocol/run-query-fields';
import { DAY, MINUTE } from '@mealtable/protocol/run-query-tokens';
import type { RunCell } from '@mealtable/protocol/run-query-view';
import { type Column, getCell, ranksOf } from './columns.ts';
import { makeTest } from './evaluate.ts';
import type { RunIndex } from './run-index.ts';

export interface SortKey {
  field: RunField;
  descending: boolean;
}
export interface Group {
  /** Values of it and of the groups around it: names it for ever. */
  key: string;
  depth: number;
  field: string;
  value: RunCell;
  /** In the table's order. */
  rows: number[];
}

/** Rows of the runs that match, in order. Equal ones keep the order of the study: variant by variant, seed by seed. */
export function orderRows(
  index: RunIndex,
  query: Query | null,
  sort: readonly SortKey[],
  now: number,
  isVisitor: boolean,
): number[] {
  const test = makeTest(query, index, now, isVisitor);
  const rows: number[] = [];
  for (let row = 0; row < index.runs.length; row++) if (test(row)) rows.push(row);
  if (sort.length === 0) return rows;
  const keys = sort.map(({ field, descending }) => ({ ...sortValues(index.column(field, now)), descending }));
  return rows.sort((a, b) => {
    for (const { values, lacks, descending } of keys) {
      if (lacks[a] !== lacks[b]) return lacks[a]! - lacks[b]!;
      const [x, y] = [values[a]!, values[b]!];
      if (x < y) return descending ? 1 : -1;
      if (x > y) return descending ? -1 : 1;
    }
    return a - b;
  });
}

/** `lacks`: 0 for a value, 1 for NaN, 2 for none. They stand in this order whatever the direction. */
function sortValues(column: Column): { values: Float64Array; lacks: Uint8Array } {
  const count = column.kind === 'number' ? column.values.length : column.codes.length;
  const values = new Float64Array(count);
  const lacks = new Uint8Array(count);
  const ranks = column.kind === 'text' ? ranksOf(column) : null;
  for (let row = 0; row < count; row++) {
    if (column.kind === 'number') {
      const value = column.values[row]!;
      lacks[row] = column.has[row] === 0 ? 2 : Number.isNaN(value) ? 1 : 0;
      values[row] = lacks[row] === 0 ? value : 0;
    } else {
      const code = column.codes[row]!;
      lacks[row] = code < 0 ? 2 : 0;
      values[row] = code < 0 ? 0 : ranks![code]!;
    }
  }
  return { values, lacks };
}

/** Groups of these rows by one field, in the order of the sort key where that is a number's mean, else by their values. */
export function groupRows(
  index: RunIndex,
  rows: readonly number[],
  field: RunField,
  around: { key: string; depth: number },
  sort: SortKey | undefined,
  now: number,
): Group[] {
  const column = index.column(field, now);
  const groups = new Map<RunCell, Group>();
  const path = around.key === '' ? [] : (JSON.parse(around.key) as RunCell[]);
  for (const row of rows) {
    const value = gathered(getCell(column, row), field);
    const name = value !== null && typeof value === 'object' ? value.join(', ') : value;
    let group = groups.get(name);
    if (!group) {
      const key = JSON.stringify([...path, typeof name === 'number' && !Number.isFinite(name) ? String(name) : name]);
      group = { key, depth: around.depth, field: field.name, value, rows: [] };
      groups.set(name, group);
    }
    group.rows.push(row);
  }
  return sortGroups(index, [...groups.values()], field, sort, now);
}

/** Times are gathered by the day and by the minute: no two runs have the same. */
function gathered(cell: RunCell, field: RunField): RunCell {
  if (typeof cell !== 'number') return cell;
  if (field.kind === 'date') return Math.floor(cell / DAY) * DAY;
  return field.kind === 'duration' ? Math.floor(cell / MINUTE) * MINUTE : cell;
}

function sortGroups(
  index: RunIndex,
  groups: Group[],
  field: RunField,
  sort: SortKey | undefined,
  now: number,
): Group[] {
  const column = sort ? index.column(sort.field, now) : null;
  const descending = sort?.descending ?? false;
  const byValue = (a: Group, b: Group, isDown: boolean) => compareCells(a.value, b.value, isDown);
  if (!column || column.kind === 'text' || sort?.field.name === field.name)
    return groups.sort((a, b) => byValue(a, b, sort?.field.name === field.name && descending));
  const means = new Map(groups.map((group) => [group, meanOf(column, group.rows).mean]));
  return groups.sort((a, b) => compareCells(means.get(a)!, means.get(b)!, descending) || byValue(a, b, false));
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
function compareCells(a: RunCell, b: RunCell, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const difference =
    typeof a === 'number' && typeof b === 'number'
      ? a - b || Number(Number.isNaN(a)) - Number(Number.isNaN(b))
      : collator.compare(String(a), String(b));
  return descending ? -difference : difference;
}

/** Over finite values, in one pass (Welford). @returns nulls without one; `std` with n - 1 */
export function meanOf(
  column: Extract<Column, { kind: 'number' }>,
  rows: readonly number[],
): { mean: number | null; std: number | null; n: number } {
  let n = 0;
  let mean = 0;
  let squares = 0;
  for (const row of rows) {
    const value = column.values[row]!;
    if (column.has[row] === 0 || !Number.isFinite(value)) continue;
    n++;
    const away = value - mean;
    mean += away / n;
    squares += away * (value - mean);
  }
  return { mean: n === 0 ? null : mean, std: n < 2 ? null : Math.sqrt(squares / (n - 1)), n };
}
