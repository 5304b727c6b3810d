'use client';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { flexRender, type Table as TableModel } from '@tanstack/react-table';
import { ArrowDown, ArrowUp, ChevronsUpDown } from 'lucide-react';
import { useRef } from 'react';
import { cn } from '../ui/cn';
import { SpacerRow } from '../ui/spacer-row';
import { Table, Td, Th, Tr } from '../ui/table';
import { useVirtualRows } from '../ui/use-virtual-rows';
import { RIGHT_ALIGNED } from './runs-columns';

const ROW_HEIGHT = 36;

export function RunsGrid({ table }: { table: TableModel<RunSummaryView> }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { rows } = table.getRowModel();
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const { indices, before, after } = useVirtualRows(rows.length, ROW_HEIGHT, body);
  return (
    <Table
      label="Runs"
      aria-rowcount={rows.length + 1}
      className="table-fixed"
      style={{ minWidth: table.getTotalSize() }}
    >
      <thead>
        <tr>
          {headers.map((header) => {
            const sorted = header.column.getIsSorted();
            const isRight = RIGHT_ALIGNED.has(header.column.id);
            const label = flexRender(header.column.columnDef.header, header.getContext());
            const Arrow = sorted === 'asc' ? ArrowUp : sorted === 'desc' ? ArrowDown : ChevronsUpDown;
            return (
              <Th
                key={header.id}
                align={isRight ? 'right' : 'left'}
                style={{ width: header.column.id === 'variantLabel' ? undefined : header.getSize() }}
                aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined}
              >
                {header.column.getCanSort() ? (
                  <button
                    type="button"
                    onClick={header.column.getToggleSortingHandler()}
                    className={cn(
                      'group inline-flex items-center gap-1 rounded-control hover:text-ink',
                      isRight && 'flex-row-reverse',
                      sorted && 'text-ink',
                    )}
                  >
                    {label}
                    <Arrow
                      aria-hidden
                      className={cn(
                        'size-3',
                        !sorted && 'opacity-0 group-hover:opacity-60 group-focus-visible:opacity-60',
                      )}
                    />
                  </button>
                ) : (
                  label
                )}
              </Th>
            );
          })}
        </tr>
      </thead>
      <tbody ref={body}>
        <SpacerRow height={before} columns={headers.length} />
        {indices.map((index) => {
          const row = rows[index];
          if (!row) return null;
          return (
            <Tr
              key={row.id}
              data-run={row.id}
              aria-rowindex={index + 2}
              aria-selected={row.getIsSelected() || undefined}
              className={cn('hover:bg-hover', row.getIsSelected() && 'bg-accent-soft/60')}
              style={{ height: ROW_HEIGHT }}
            >
              {row.getVisibleCells().map((cell) => (
                <Td key={cell.id} align={RIGHT_ALIGNED.has(cell.column.id) ? 'right' : 'left'} className="h-auto py-1">
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </Td>
              ))}
            </Tr>
          );
        })}
        <SpacerRow height={after} columns={headers.length} />
      </tbody>
    </Table>
  );
}
