'use client';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { flexRender, type Header, type Table as TableModel } from '@tanstack/react-table';
import { ArrowDown, ArrowUp, ChevronsUpDown } from 'lucide-react';
import { useRef } from 'react';
import { Checkbox } from '../ui/checkbox';
import { cn } from '../ui/cn';
import { SpacerRow } from '../ui/spacer-row';
import { Table, Th } from '../ui/table';
import { useVirtualRows } from '../ui/use-virtual-rows';
import { ROW_HEIGHT, RunRow } from './run-row';
import { RIGHT_ALIGNED, SELECT_WIDTH } from './runs-columns';

interface RunsGridProps {
  table: TableModel<RunSummaryView>;
  /** Absent for those who may not act on runs. */
  onSelect: ((id: string, isSelected: boolean) => void) | undefined;
}

export function RunsGrid({ table, onSelect }: RunsGridProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { rows } = table.getRowModel();
  const { indices, before, after } = useVirtualRows(rows.length, ROW_HEIGHT, body);
  return (
    <Table
      label="Runs"
      aria-rowcount={rows.length + 1}
      className="table-fixed"
      style={{ minWidth: table.getTotalSize() + (onSelect ? SELECT_WIDTH : 0) }}
    >
      <thead>
        <tr>
          {onSelect && (
            <Th style={{ width: SELECT_WIDTH }}>
              <Checkbox
                aria-label="Select all runs shown"
                checked={table.getIsAllRowsSelected() || (table.getIsSomeRowsSelected() && 'indeterminate')}
                onChange={(checked) => table.toggleAllRowsSelected(checked)}
              />
            </Th>
          )}
          {table.getHeaderGroups()[0]?.headers.map((header) => (
            <SortableTh key={header.id} header={header} />
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        <SpacerRow height={before} />
        {indices.map((index) => {
          const row = rows[index];
          return row ? (
            <RunRow
              key={row.id}
              run={row.original}
              rowIndex={index + 2}
              isSelected={row.getIsSelected()}
              onSelect={onSelect}
            />
          ) : null;
        })}
        <SpacerRow height={after} />
      </tbody>
    </Table>
  );
}

function SortableTh({ header }: { header: Header<RunSummaryView, unknown> }) {
  const { column } = header;
  const sorted = column.getIsSorted();
  const isRight = RIGHT_ALIGNED.has(column.id);
  const Arrow = sorted === 'asc' ? ArrowUp : sorted === 'desc' ? ArrowDown : ChevronsUpDown;
  return (
    <Th
      align={isRight ? 'right' : 'left'}
      // The variant takes what is left.
      style={{ width: column.id === 'variant' ? undefined : header.getSize() }}
      aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined}
    >
      <button
        type="button"
        onClick={column.getToggleSortingHandler()}
        className={cn(
          'group inline-flex items-center gap-1 rounded-control hover:text-ink',
          isRight && 'flex-row-reverse',
          sorted && 'text-ink',
        )}
      >
        {flexRender(column.columnDef.header, header.getContext())}
        <Arrow
          aria-hidden
          className={cn('size-3', !sorted && 'opacity-0 group-hover:opacity-60 group-focus-visible:opacity-60')}
        />
      </button>
    </Th>
  );
}
