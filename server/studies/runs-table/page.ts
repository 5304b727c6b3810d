/** The rows of the table that a window shows. */
import type { RunField } from '@mealtable/protocol/run-query-fields';
import {
  type GroupCell,
  type GroupTableRow,
  type RunsPage,
  type RunTableRow,
  type TableRow,
  type TableRun,
  toTableRun,
} from '@mealtable/protocol/run-query-view';
import { redactRun } from '../../shares/redact.ts';
import { type Group, groupRows, meanOf } from './arrange.ts';
import { type Column, getCell } from './columns.ts';
import type { RunIndex } from './run-index.ts';
import type { ReadView } from './view.ts';

/** A row of the table that is not made yet. */
type Entry = { group: Group; isOpen: boolean } | { row: number; depth: number };

export function makePage(
  index: RunIndex,
  view: ReadView,
  { open, offset, limit }: { open: readonly string[]; offset: number; limit: number },
): RunsPage {
  const base = {
    version: index.fields(view.isVisitor).schema.version,
    total: index.runs.length,
    matching: view.rows.length,
    offset,
    unknown: view.unknown,
    fault: view.fault,
  };
  if (view.group.length === 0) {
    const rows = view.rows.slice(offset, offset + limit).map((row) => makeRow(index, view, row, 0));
    return { ...base, rowCount: view.rows.length, rows };
  }
  const entries: Entry[] = [];
  // Once for all groups: one of them is made anew each time that it is asked for.
  const columns = view.columns.map((field) => field && index.column(field, view.now));
  listGroups(index, view, view.rows, { key: '', depth: 0 }, new Set(open), entries);
  const rows = entries
    .slice(offset, offset + limit)
    .map((entry) =>
      'row' in entry
        ? makeRow(index, view, entry.row, entry.depth)
        : makeGroup(view, columns, entry.group, entry.isOpen),
    );
  return { ...base, rowCount: entries.length, rows };
}

/** Groups that are not open are not looked into. */
function listGroups(
  index: RunIndex,
  view: ReadView,
  rows: readonly number[],
  around: { key: string; depth: number },
  open: ReadonlySet<string>,
  into: Entry[],
): void {
  const field = view.group[around.depth];
  if (!field) {
    for (const row of rows) into.push({ row, depth: around.depth });
    return;
  }
  for (const group of groupRows(index, rows, field, around, view.sort[0], view.now)) {
    const isOpen = open.has(group.key);
    into.push({ group, isOpen });
    if (isOpen) listGroups(index, view, group.rows, { key: group.key, depth: around.depth + 1 }, open, into);
  }
}

export function makeRow(
  index: RunIndex,
  view: Pick<ReadView, 'columns' | 'now' | 'isVisitor'>,
  row: number,
  depth: number,
): RunTableRow {
  return {
    kind: 'run',
    depth,
    run: shownRun(index, row, view.isVisitor),
    cells: view.columns.map((field) => (field ? index.cell(field, row, view.now) : null)),
  };
}

function makeGroup(view: ReadView, columns: readonly (Column | null)[], group: Group, isOpen: boolean): GroupTableRow {
  const { key, depth, field, value, rows } = group;
  return {
    ...{ kind: 'group', depth, key, field, value, runs: rows.length, isOpen },
    cells: view.columns.map((of, i): GroupCell => groupCell(of, columns[i] ?? null, rows)),
  };
}

/** Without what visitors of a share link are not shown. */
export function shownRun(index: RunIndex, row: number, isVisitor: boolean): TableRun {
  const { summary } = index.runs[row]!;
  return toTableRun(isVisitor ? redactRun(summary) : summary);
}

/** Numbers that mean something on average; what only names a run does not. */
const NAMES = new Set(['seed', 'priority', 'attempt', 'config.seed']);

function groupCell(field: RunField | null, column: Column | null, rows: readonly number[]): GroupCell {
  if (!field || !column) return { kind: 'same', value: null };
  const isAveraged = column.kind === 'number' && !column.isBoolean && field.kind !== 'date' && !NAMES.has(field.name);
  if (isAveraged) {
    const { mean, std, n } = meanOf(column, rows);
    return mean === null ? { kind: 'same', value: null } : { kind: 'mean', mean, std, n };
  }
  const seen = new Set<number>();
  for (const row of rows)
    seen.add(column.kind === 'text' ? column.codes[row]! : column.has[row] ? column.values[row]! : Number.NaN);
  return seen.size === 1 ? { kind: 'same', value: getCell(column, rows[0]!) } : { kind: 'distinct', count: seen.size };
}

/** Rows by themselves, for a page that follows what happens to the runs that it shows. */
export function makeRows(index: RunIndex, view: ReadView, ids: readonly string[]): TableRow[] {
  return ids.flatMap((id) => {
    const row = index.rowOf.get(id);
    return row === undefined ? [] : [makeRow(index, view, row, 0)];
  });
}
