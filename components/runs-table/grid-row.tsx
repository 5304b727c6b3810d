// biome-ignore-all lint/a11y/useSemanticElements: rows and cells of a real table cannot be placed where they would scroll to
'use client';
import type { RunFields } from '@mealtable/protocol/run-query-fields';
import type { GroupTableRow, RunTableRow, TableRow, TableRun } from '@mealtable/protocol/run-query-view';
import { ChevronRight } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { plural } from '../format';
import { Checkbox } from '../ui/checkbox';
import { cn } from '../ui/cn';
import { Skeleton } from '../ui/skeleton';
import { GroupCellContent, RunCellContent } from './cells';
import { isRightAligned, ROW_HEIGHT, SELECT_WIDTH } from './column-looks';
import { formatGroupValue } from './format-cell';
import type { PlacedColumn } from './grid-layout';

export interface RowShape {
  pinned: readonly PlacedColumn[];
  shown: readonly PlacedColumn[];
  pinnedWidth: number;
  totalWidth: number;
  cellOf: ReadonlyMap<string, number>;
  /** Fields of groups have no column of their own, perhaps. */
  fields: RunFields;
  hasSelect: boolean;
}
interface GridRowProps {
  id: string;
  /** From 0. */
  index: number;
  row: TableRow | undefined;
  shape: RowShape;
  isSelected: boolean;
  isActive: boolean;
  onSelect: (run: TableRun, isSelected: boolean, isRange: boolean) => void;
  onToggleGroup: (key: string) => void;
  onActivate: (index: number) => void;
}

/** Drawn anew only when its own run or the columns have changed. */
export const GridRow = memo(function GridRow(props: GridRowProps) {
  const { id, index, row, shape, isSelected, isActive, onActivate } = props;
  const isGroup = row?.kind === 'group';
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and says which row is active
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys
    <div
      role="row"
      id={id}
      data-run={row?.kind === 'run' ? row.run.id : undefined}
      aria-rowindex={index + 2}
      aria-level={row ? row.depth + 1 : undefined}
      aria-expanded={isGroup ? row.isOpen : undefined}
      aria-selected={shape.hasSelect && row?.kind === 'run' ? isSelected : undefined}
      onClick={() => onActivate(index)}
      className={cn(
        'group/row absolute left-0 flex border-b text-sm [--row:var(--surface)]',
        isGroup && 'font-medium [--row:var(--sunken)]',
        isSelected && '[--row:color-mix(in_oklch,var(--accent-soft)_60%,var(--surface))]',
        'hover:[--row:var(--hover)] bg-(--row)',
        isActive && 'outline-2 outline-accent -outline-offset-2',
      )}
      style={{ top: index * ROW_HEIGHT, height: ROW_HEIGHT, width: shape.totalWidth }}
    >
      {row === undefined ? (
        <WaitingRow />
      ) : isGroup ? (
        <GroupRow {...props} row={row} />
      ) : (
        <RunRow {...props} row={row} />
      )}
    </div>
  );
});

function WaitingRow() {
  return (
    <div role="gridcell" tabIndex={-1} className="sticky left-0 flex w-80 items-center px-3">
      <Skeleton className="h-3 w-3/5" />
      <span className="sr-only">Loading</span>
    </div>
  );
}

function RunRow({ row, shape, isSelected, onSelect }: GridRowProps & { row: RunTableRow }) {
  const { run, cells } = row;
  return (
    <>
      {shape.hasSelect && (
        <div
          role="gridcell"
          tabIndex={-1}
          aria-colindex={1}
          className="sticky left-0 z-10 flex shrink-0 items-center justify-center bg-(--row)"
          style={{ width: SELECT_WIDTH }}
          // Before the box changes by itself: with Shift it is a range.
          onClickCapture={(event) => {
            event.preventDefault();
            event.stopPropagation();
            onSelect(run, !isSelected, event.shiftKey);
          }}
        >
          <Checkbox
            aria-label={`Select ${run.variantLabel}, seed ${run.seed}`}
            checked={isSelected}
            onChange={() => {}}
          />
        </div>
      )}
      <Cells shape={shape}>
        {({ field }) => <RunCellContent run={run} field={field} cell={cells[shape.cellOf.get(field.name) ?? -1]} />}
      </Cells>
    </>
  );
}

function GroupRow({ row, shape, onToggleGroup }: GridRowProps & { row: GroupTableRow }) {
  const field = shape.fields.get(row.field);
  const words = formatGroupValue(row.value, field);
  const name = `${field?.words ?? row.field}: ${words}`;
  // The name stands where the first columns are, which for a group say nothing that the name does not.
  const width = Math.max(shape.pinnedWidth, 260);
  return (
    <>
      <div
        role="gridcell"
        tabIndex={-1}
        className="sticky left-0 z-10 flex shrink-0 items-center bg-(--row) pr-3"
        style={{ width, paddingLeft: 8 + row.depth * 20 }}
      >
        <button
          type="button"
          tabIndex={-1}
          onClick={() => onToggleGroup(row.key)}
          title={name}
          className="flex min-w-0 items-center gap-1.5 rounded-control text-left hover:text-accent"
        >
          <ChevronRight
            aria-hidden
            className={cn('size-4 shrink-0 text-ink-3 transition-transform', row.isOpen && 'rotate-90')}
          />
          <span className="truncate">
            <span className="text-ink-3">{field?.words ?? row.field} </span>
            {words}
          </span>
          <span className="num shrink-0 text-ink-3 text-xs">{plural(row.runs, 'run')}</span>
        </button>
      </div>
      <Cells shape={{ ...shape, pinned: [] }} from={width}>
        {({ field: of }) => <GroupCellContent field={of} cell={row.cells[shape.cellOf.get(of.name) ?? -1]} />}
      </Cells>
    </>
  );
}

interface CellsProps {
  shape: RowShape;
  /** Columns that begin before it are left out. */
  from?: number;
  children: (column: PlacedColumn) => ReactNode;
}

function Cells({ shape, from, children }: CellsProps) {
  const shown = from === undefined ? shape.shown : shape.shown.filter(({ left }) => left >= from);
  const start = from ?? shape.pinnedWidth;
  const gap = (shown[0]?.left ?? start) - start;
  return (
    <>
      {shape.pinned.map((column, i) => (
        <Cell key={column.field.name} column={column} isPinned isLastPinned={i === shape.pinned.length - 1}>
          {children(column)}
        </Cell>
      ))}
      {gap > 0 && <div role="presentation" className="shrink-0" style={{ width: gap }} />}
      {shown.map((column) => (
        <Cell key={column.field.name} column={column}>
          {children(column)}
        </Cell>
      ))}
    </>
  );
}

interface CellProps {
  column: PlacedColumn;
  isPinned?: boolean;
  isLastPinned?: boolean;
  children: ReactNode;
}

function Cell({ column: { field, width, left, number }, isPinned = false, isLastPinned = false, children }: CellProps) {
  const isRight = isRightAligned(field);
  return (
    <div
      role="gridcell"
      tabIndex={-1}
      aria-colindex={number}
      className={cn(
        'flex min-w-0 shrink-0 items-center px-3',
        isRight && 'num justify-end text-right',
        isPinned && 'sticky z-10 bg-(--row)',
        isLastPinned && 'border-r',
      )}
      style={{ width, ...(isPinned && { left }) }}
    >
      <div className={cn('min-w-0', !isRight && 'grow')}>{children}</div>
    </div>
  );
}
