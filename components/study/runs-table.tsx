'use client';
import type { RunSummaryView } from '@mealtable/protocol/views';
import {
  getCoreRowModel,
  getSortedRowModel,
  type RowSelectionState,
  type SortingState,
  useReactTable,
} from '@tanstack/react-table';
import { memo, useCallback, useMemo, useState } from 'react';
import { plural } from '../format';
import { BulkBar } from '../queue/bulk-bar';
import { Section } from '../ui/panel';
import { EVERYTHING, filterRuns, type RunFilter } from './filter-runs';
import { RUN_COLUMNS } from './runs-columns';
import { RunsFilterBar } from './runs-filter-bar';
import { RunsGrid } from './runs-grid';

export const RunsTable = memo(function RunsTable({ runs, canEdit }: { runs: RunSummaryView[]; canEdit: boolean }) {
  const [filter, setFilter] = useState<RunFilter>(EVERYTHING);
  const [sorting, setSorting] = useState<SortingState>([]);
  const [rowSelection, setRowSelection] = useState<RowSelectionState>({});
  const shown = useMemo(() => filterRuns(runs, filter), [runs, filter]);
  const select = useCallback(
    (id: string, isSelected: boolean) => setRowSelection((old) => ({ ...old, [id]: isSelected })),
    [],
  );
  const table = useReactTable({
    data: shown,
    columns: RUN_COLUMNS,
    state: { sorting, rowSelection },
    onSortingChange: setSorting,
    onRowSelectionChange: setRowSelection,
    getRowId: (run) => run.id,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    enableMultiSort: true,
  });
  const selected = runs.filter((run) => rowSelection[run.id]);
  return (
    <Section
      title="Runs"
      hint={
        shown.length === runs.length
          ? plural(runs.length, 'run')
          : `${plural(shown.length, 'run')} of ${runs.length} shown`
      }
      actions={selected.length > 0 && <BulkBar runs={selected} onDone={() => setRowSelection({})} />}
    >
      <RunsFilterBar runs={runs} filter={filter} onChange={setFilter} />
      {shown.length === 0 ? (
        <p className="rounded-panel border border-dashed py-10 text-center text-ink-3 text-sm">No run matches.</p>
      ) : (
        <RunsGrid table={table} onSelect={canEdit ? select : undefined} />
      )}
    </Section>
  );
});
