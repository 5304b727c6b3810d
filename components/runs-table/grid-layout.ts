/** Where the columns of the table stand, and which of them are in sight. */
import type { TableColumn } from '@mealtable/protocol/run-query-address';
import type { RunField, RunFields } from '@mealtable/protocol/run-query-fields';
import { SELECT_WIDTH, widthOf } from './column-looks.ts';

export interface PlacedColumn {
  column: TableColumn;
  field: RunField;
  /** From 1, as screen readers count them. */
  number: number;
  left: number;
  width: number;
}
export interface GridLayout {
  pinned: PlacedColumn[];
  others: PlacedColumn[];
  pinnedWidth: number;
  totalWidth: number;
}

/** Pinned columns that take more than this share of the table leave no room for what is to be read beside them: they scroll, too. */
const MAX_PINNED_SHARE = 0.6;
/** Pixels beyond either edge that are drawn already. */
const OVERSCAN = 240;

/** Columns that the study does not have are left out. @param viewWidth pixels of the table on the page; 0 before it is known */
export function layOut(
  columns: readonly TableColumn[],
  fields: RunFields,
  { hasSelect, isGrouped, viewWidth }: { hasSelect: boolean; isGrouped: boolean; viewWidth: number },
): GridLayout {
  const start = hasSelect ? SELECT_WIDTH : 0;
  let left = start;
  const known = columns.flatMap((column) => {
    const field = fields.get(column.field);
    return field ? [{ column, field, width: widthOf(column, field, { viewWidth, isGrouped }) }] : [];
  });
  const placed = known.map((each, i): PlacedColumn => {
    const here = { ...each, number: i + 1 + (hasSelect ? 1 : 0), left };
    left += each.width;
    return here;
  });
  const wanted = placed.filter(({ column }) => column.isPinned);
  const end = wanted.at(-1);
  const pinnedWidth = end ? end.left + end.width : start;
  const fits = viewWidth === 0 || pinnedWidth <= viewWidth * MAX_PINNED_SHARE;
  return {
    pinned: fits ? wanted : [],
    others: fits ? placed.slice(wanted.length) : placed,
    pinnedWidth: fits ? pinnedWidth : start,
    totalWidth: left,
  };
}

/** Of those that scroll. */
export function columnsInSight(layout: GridLayout, scrollLeft: number, viewWidth: number): PlacedColumn[] {
  const from = scrollLeft + layout.pinnedWidth - OVERSCAN;
  const to = scrollLeft + viewWidth + OVERSCAN;
  return layout.others.filter(({ left, width }) => left + width > from && left < to);
}

/** The last column takes what is left of a table that is narrower than its place: there is no ragged edge. */
export function stretch(layout: GridLayout, viewWidth: number): GridLayout {
  const rest = viewWidth - layout.totalWidth;
  const wide =
    [...layout.pinned, ...layout.others].find(({ field }) => field.name === 'variant') ?? layout.others.at(-1);
  if (rest <= 0 || !wide || wide.column.width !== null) return layout;
  const grow = (each: PlacedColumn): PlacedColumn =>
    each === wide
      ? { ...each, width: each.width + rest }
      : each.left > wide.left
        ? { ...each, left: each.left + rest }
        : each;
  return {
    pinned: layout.pinned.map(grow),
    others: layout.others.map(grow),
    pinnedWidth: layout.pinnedWidth + (layout.pinned.includes(wide) ? rest : 0),
    totalWidth: layout.totalWidth + rest,
  };
}
