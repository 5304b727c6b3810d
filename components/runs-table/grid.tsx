// biome-ignore-all lint/a11y/useSemanticElements: rows and cells of a real table cannot be placed where they would scroll to
'use client';
import type { RunsTableState } from '@mealtable/protocol/run-query-address';
import type { RunFields } from '@mealtable/protocol/run-query-fields';
import type { TableRun } from '@mealtable/protocol/run-query-view';
import { type RefObject, useId, useMemo, useState } from 'react';
import { Checkbox } from '../ui/checkbox';
import { cn } from '../ui/cn';
import { HEAD_HEIGHT, ROW_HEIGHT, SELECT_WIDTH } from './column-looks';
import { HeadCell } from './grid-head';
import { columnsInSight, layOut, stretch } from './grid-layout';
import { GridRow, type RowShape } from './grid-row';
import { useGridKeys } from './use-grid-keys';
import type { GridView } from './use-grid-view';
import type { RunPages } from './use-run-pages';
import type { RunSelection } from './use-run-selection';
import { useSameList, useStable } from './use-stable';
import type { ChangeTable } from './use-table-state';

interface RunsGridProps {
  state: RunsTableState;
  onChange: ChangeTable;
  fields: RunFields;
  pages: RunPages;
  /** Null for those who may not act on runs. */
  selection: RunSelection | null;
  scroller: RefObject<HTMLDivElement | null>;
  view: GridView;
}

/** The table itself: rows and columns out of sight are not drawn. */
export function RunsGrid({ state, onChange, fields, pages, selection, scroller, view }: RunsGridProps) {
  const id = useId();
  const [active, setActive] = useState<number | null>(null);
  const hasSelect = selection !== null;
  const isGrouped = state.group.length > 0;
  const { columns } = state;
  const layout = useMemo(
    () => stretch(layOut(columns, fields, { hasSelect, isGrouped, viewWidth: view.width }), view.width),
    [columns, fields, hasSelect, isGrouped, view.width],
  );
  const inSight = useSameList(columnsInSight(layout, view.left, view.width));
  const shape = useMemo<RowShape>(
    () => ({
      ...{ pinned: layout.pinned, shown: inSight, cellOf: pages.cellOf, fields, hasSelect },
      ...{ pinnedWidth: layout.pinnedWidth, totalWidth: layout.totalWidth },
    }),
    [layout, inSight, pages.cellOf, fields, hasSelect],
  );
  const rowCount = pages.latest?.rowCount ?? 0;
  const select = useStable((run: TableRun, isSelected: boolean, isRange: boolean) => {
    if (isRange) selection?.extendTo(run);
    else selection?.toggle(run, isSelected);
  });
  const toggleGroup = useStable((key: string) => {
    const { open } = state;
    onChange({ open: open.includes(key) ? open.filter((other) => !isWithin(other, key)) : [...open, key] });
  });
  const onKeyDown = useGridKeys({
    active,
    setActive,
    rowCount,
    rowAt: pages.rowAt,
    scroller,
    selection,
    select,
    toggleGroup,
  });
  const matching = pages.latest?.matching ?? 0;
  const selected = selection?.runs.size ?? 0;
  return (
    <div
      role="treegrid"
      aria-label="Runs"
      aria-rowcount={rowCount + 1}
      aria-colcount={columns.length + (hasSelect ? 1 : 0)}
      aria-multiselectable={hasSelect || undefined}
      aria-busy={pages.isStale || undefined}
      aria-activedescendant={active === null ? undefined : `${id}-${active}`}
      aria-describedby="runs-table-keys"
      tabIndex={0}
      ref={scroller}
      onKeyDown={onKeyDown}
      className="relative overflow-auto overscroll-x-contain rounded-panel border bg-surface focus-visible:outline-offset-0"
      style={{ maxHeight: `max(22rem, min(70dvh, 60rem))` }}
    >
      {/* biome-ignore lint/a11y/useFocusableInteractive: the buttons inside have the focus */}
      <div
        role="row"
        aria-rowindex={1}
        className="sticky top-0 z-20 flex bg-sunken"
        style={{ width: layout.totalWidth, height: HEAD_HEIGHT }}
      >
        {selection && (
          // biome-ignore lint/a11y/useFocusableInteractive: the box inside has the focus
          <div
            role="columnheader"
            aria-colindex={1}
            className="sticky left-0 z-10 flex shrink-0 items-center justify-center border-b bg-sunken"
            style={{ width: SELECT_WIDTH }}
          >
            <Checkbox
              aria-label="Select all runs that match"
              disabled={selection.isBusy || matching === 0}
              checked={selected > 0 && (selected >= matching ? true : 'indeterminate')}
              onChange={(isChecked) => (isChecked ? selection.selectAll() : selection.clear())}
            />
          </div>
        )}
        {layout.pinned.map((placed, i) => (
          <HeadCell
            key={placed.field.name}
            {...{ placed, state, onChange }}
            isPinned
            isLastPinned={i === layout.pinned.length - 1}
          />
        ))}
        <div
          role="presentation"
          className="shrink-0 border-b bg-sunken"
          style={{ width: Math.max(0, (inSight[0]?.left ?? layout.pinnedWidth) - layout.pinnedWidth) }}
        />
        {inSight.map((placed) => (
          <HeadCell key={placed.field.name} {...{ placed, state, onChange }} isPinned={false} isLastPinned={false} />
        ))}
        <div role="presentation" className="grow border-b bg-sunken" />
      </div>
      <div
        role="rowgroup"
        className={cn('relative transition-opacity', pages.isStale && 'opacity-70')}
        style={{ height: rowCount * ROW_HEIGHT, width: layout.totalWidth }}
      >
        {view.rows(rowCount).map((index) => {
          const row = pages.rowAt(index);
          const isRun = row?.kind === 'run';
          return (
            <GridRow
              key={index}
              id={`${id}-${index}`}
              index={index}
              row={row}
              shape={shape}
              isSelected={isRun && (selection?.runs.has(row.run.id) ?? false)}
              isActive={active === index}
              onSelect={select}
              onToggleGroup={toggleGroup}
              onActivate={setActive}
            />
          );
        })}
      </div>
      <p id="runs-table-keys" className="sr-only">
        Arrow keys move through the rows. Space selects, Shift with Space selects a range, Enter opens a run or a group.
      </p>
      <p id="runs-table-head-keys" className="sr-only">
        Enter sorts, Shift with Enter adds a key. Alt with the arrow keys moves the column, with Shift it changes its
        width.
      </p>
    </div>
  );
}

/** A group that is closed closes those within it. */
function isWithin(key: string, group: string): boolean {
  return key === group || key.startsWith(`${group.slice(0, -1)},`);
}
