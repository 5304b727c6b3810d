/** What can be done to the columns of the table; each gives the new ones. */
import { clampWidth, orderColumns, type TableColumn } from '@mealtable/protocol/run-query-address';
import { MAX_SORT_KEYS, type RunsView } from '@mealtable/protocol/run-query-view';

type Columns = readonly TableColumn[];

/** New ones come last. */
export const showColumn = (columns: Columns, field: string): TableColumn[] =>
  columns.some((column) => column.field === field)
    ? [...columns]
    : [...columns, { field, isPinned: false, width: null }];

export const hideColumn = (columns: Columns, field: string): TableColumn[] =>
  columns.filter((column) => column.field !== field);

export const pinColumn = (columns: Columns, field: string, isPinned: boolean): TableColumn[] =>
  orderColumns(columns.map((column) => (column.field === field ? { ...column, isPinned } : column)));

/** @param width pixels; null for the usual one */
export const resizeColumn = (columns: Columns, field: string, width: number | null): TableColumn[] =>
  columns.map((column) =>
    column.field === field ? { ...column, width: width === null ? null : clampWidth(width) } : column,
  );

/** One place to the left (-1) or right (1). At the border between pinned and others it goes no further. */
export function moveColumn(columns: Columns, field: string, by: -1 | 1): TableColumn[] {
  const from = columns.findIndex((column) => column.field === field);
  const to = from + by;
  const [moved, other] = [columns[from], columns[to]];
  if (!moved || !other || moved.isPinned !== other.isPinned) return [...columns];
  const next = [...columns];
  next[from] = other;
  next[to] = moved;
  return next;
}

/** To the place of another column, whose part of the table it joins. */
export function dropColumn(columns: Columns, field: string, onto: string): TableColumn[] {
  const moved = columns.find((column) => column.field === field);
  const target = columns.find((column) => column.field === onto);
  if (!moved || !target || moved === target) return [...columns];
  const isRightward = columns.indexOf(moved) < columns.indexOf(target);
  const next = columns.filter((column) => column !== moved);
  const place = next.indexOf(target) + (isRightward ? 1 : 0);
  next.splice(place, 0, { ...moved, isPinned: target.isPinned });
  return orderColumns(next);
}

type Sort = RunsView['sort'];

/** A click sorts by this column alone: best first for numbers that somebody looks for, then the other way, then not at all. */
export function toggleSort(
  sort: Sort,
  field: string,
  { isFurther, descendingFirst }: { isFurther: boolean; descendingFirst: boolean },
): Sort {
  const known = sort.find((key) => key.field === field);
  const next = !known
    ? { field, descending: descendingFirst }
    : known.descending === descendingFirst
      ? { field, descending: !descendingFirst }
      : null;
  if (!isFurther) return next ? [next] : [];
  if (!known) return next ? [...sort, next].slice(0, MAX_SORT_KEYS) : sort;
  return sort.flatMap((key) => (key.field === field ? (next ?? []) : key));
}
