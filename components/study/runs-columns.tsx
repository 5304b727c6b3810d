'use client';
import { RUN_STATUSES } from '@mealtable/protocol/statuses';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { type ColumnDef, createColumnHelper } from '@tanstack/react-table';
import Link from 'next/link';
import { formatPercent, NONE } from '../format';
import { RunStepsBar, runProgress } from '../run/run-steps-bar';
import { Checkbox } from '../ui/checkbox';
import { StatusText } from '../ui/status-badge';
import { Elapsed, RelativeTime } from '../ui/time';
import { shownStatus } from '../words';

const column = createColumnHelper<RunSummaryView>();
const epochsDone = (run: RunSummaryView) => (runProgress(run) ?? 0) * run.epochs;

/** Every row's selection box and, with the header's, all that are filtered. */
const selection = column.display({
  id: 'select',
  size: 40,
  header: ({ table }) => (
    <Checkbox
      aria-label="Select all runs shown"
      checked={table.getIsAllRowsSelected() || (table.getIsSomeRowsSelected() && 'indeterminate')}
      onChange={(checked) => table.toggleAllRowsSelected(checked)}
    />
  ),
  cell: ({ row }) => (
    <Checkbox
      aria-label={`Select ${row.original.variantLabel}, seed ${row.original.seed}`}
      checked={row.getIsSelected()}
      onChange={(checked) => row.toggleSelected(checked)}
    />
  ),
});

const columns = [
  column.accessor((run) => RUN_STATUSES.indexOf(run.status), {
    id: 'status',
    header: 'Status',
    size: 116,
    cell: ({ row }) => <StatusText status={shownStatus(row.original)} />,
  }),
  column.accessor('variantLabel', {
    header: 'Variant',
    size: 340,
    cell: ({ row, getValue }) => (
      <Link
        href={`/runs/${row.original.id}`}
        title={getValue()}
        className="block truncate font-medium hover:text-accent hover:underline"
      >
        {getValue()}
        <span className="sr-only">, seed {row.original.seed}</span>
      </Link>
    ),
  }),
  column.accessor('seed', { header: 'Seed', size: 72, cell: (cell) => <span className="num">{cell.getValue()}</span> }),
  column.accessor((run) => runProgress(run) ?? -1, {
    id: 'progress',
    header: 'Progress',
    size: 136,
    cell: ({ row }) => <RunStepsBar run={row.original} />,
  }),
  column.accessor((run) => run.bestTop1 ?? -1, {
    id: 'top1',
    header: 'Best top-1',
    size: 104,
    cell: ({ row }) => <span className="num font-medium">{formatPercent(row.original.bestTop1)}</span>,
  }),
  column.accessor(epochsDone, {
    id: 'epoch',
    header: 'Epoch',
    size: 88,
    cell: ({ row, getValue }) => (
      <span className="num">
        {Math.floor(getValue() + 1e-6)}
        <span className="text-ink-3">/{row.original.epochs}</span>
      </span>
    ),
  }),
  column.accessor((run) => run.hostName ?? '', {
    id: 'host',
    header: 'Host',
    size: 128,
    cell: (cell) => <span className="block truncate text-ink-2">{cell.getValue() || NONE}</span>,
  }),
  column.accessor((run) => (run.startedAt === null ? -1 : (run.finishedAt ?? Date.now()) - run.startedAt), {
    id: 'duration',
    header: 'Duration',
    size: 116,
    cell: ({ row }) => (
      <span className="num text-xs">
        <Elapsed from={row.original.startedAt} to={row.original.finishedAt} />
      </span>
    ),
  }),
  column.accessor((run) => run.startedAt ?? Number.POSITIVE_INFINITY, {
    id: 'started',
    header: 'Started',
    size: 104,
    cell: ({ row }) => (
      <span className="text-ink-2">
        <RelativeTime at={row.original.startedAt} />
      </span>
    ),
  }),
] as ColumnDef<RunSummaryView>[];

export const runColumns = (canSelect: boolean): ColumnDef<RunSummaryView>[] =>
  canSelect ? [selection as ColumnDef<RunSummaryView>, ...columns] : columns;

/** Numbers are read at their right edge. */
export const RIGHT_ALIGNED: ReadonlySet<string> = new Set(['seed', 'top1', 'epoch', 'duration']);
