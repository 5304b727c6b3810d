'use client';
import type { RunsTableState } from '@mealtable/protocol/run-query-address';
import { type RunsPage, type TableRow, toTableRun } from '@mealtable/protocol/run-query-view';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC, useTRPCClient } from '../trpc-provider';

/** Rows that one request brings. */
const PAGE = 100;
/** Rows in sight that have changed are read this often, the order of the table that often. */
const ROWS_EVERY_MS = 1_000;
const ORDER_EVERY_MS = 3_000;
const MAX_ROWS_AT_ONCE = 200;

export interface RunPages {
  /** Undefined where it has not arrived yet. */
  rowAt: (index: number) => TableRow | undefined;
  /** Null before the first page. */
  latest: Pick<RunsPage, 'version' | 'total' | 'matching' | 'rowCount' | 'unknown' | 'fault'> | null;
  /** Place of each column in the cells of the rows. */
  cellOf: ReadonlyMap<string, number>;
  /** What is shown is of an older state. */
  isStale: boolean;
  error: unknown;
  retry: () => void;
}

/** @param filter the last one that can be read @param first and @param last rows in sight */
export function useRunPages(
  studyId: string,
  { sort, group, open, columns }: RunsTableState,
  filter: string,
  { first, last }: { first: number; last: number },
): RunPages {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  // Sorted: moving a column asks for nothing new.
  const names = useMemo(() => columns.map(({ field }) => field).sort(), [columns]);
  const pages = Array.from(
    { length: Math.floor(last / PAGE) - Math.floor(first / PAGE) + 1 },
    (_, i) => i + Math.floor(first / PAGE),
  );
  const queries = useQueries({
    queries: pages.map((page) => ({
      ...trpc.runsTable.page.queryOptions({
        studyId,
        view: { filter, sort, group },
        open: group.length > 0 ? open : [],
        columns: names,
        offset: page * PAGE,
        limit: PAGE,
      }),
      staleTime: 10_000,
      gcTime: 30_000,
      placeholderData: (before: RunsPage | undefined) => before,
    })),
  });

  const queryKey = trpc.runsTable.page.queryKey();
  const changed = useRef(new Set<string>());
  const patch = (update: (row: TableRow) => TableRow) =>
    queryClient.setQueriesData<RunsPage>({ queryKey }, (page) => page && { ...page, rows: mapRows(page.rows, update) });

  const readRows = useThrottle(() => {
    const inSight = new Set(
      queries.flatMap(({ data }) => data?.rows.flatMap((row) => (row.kind === 'run' ? row.run.id : [])) ?? []),
    );
    const ids = [...changed.current].filter((id) => inSight.has(id)).slice(0, MAX_ROWS_AT_ONCE);
    changed.current.clear();
    if (ids.length === 0) return;
    client.runsTable.rows.query({ studyId, columns: names, ids }).then(
      (rows) => {
        const byId = new Map(rows.flatMap((row) => (row.kind === 'run' ? [[row.run.id, row] as const] : [])));
        patch((row) => {
          const fresh = row.kind === 'run' ? byId.get(row.run.id) : undefined;
          // A page with other columns has its own way.
          return fresh && row.cells.length === fresh.cells.length ? { ...fresh, depth: row.depth } : row;
        });
      },
      // The connection is away: when it is back, all is read again.
      () => {},
    );
  }, ROWS_EVERY_MS);
  const readOrder = useThrottle(() => void queryClient.invalidateQueries({ queryKey }), ORDER_EVERY_MS);
  const isOrderFixed = filter === '' && sort.length === 0 && group.length === 0;

  useLiveEvent('run:changed', (run: RunSummaryView) => {
    if (run.studyId !== studyId) return;
    patch((row) => (row.kind === 'run' && row.run.id === run.id ? { ...row, run: toTableRun(run) } : row));
    changed.current.add(run.id);
    readRows();
    if (!isOrderFixed) readOrder();
  });
  useLiveEvent('study:changed', (event) => event.studyId === studyId && readOrder());
  useWatch({ kind: 'study', studyId }, { onJoined: readOrder });

  const shown = queries.map(({ data }) => data);
  const latest = useLatest(
    queries.find(({ data, isPlaceholderData }) => data && !isPlaceholderData)?.data ?? shown.find(Boolean),
  );
  const cellOf = useMemo(() => new Map(names.map((name, i) => [name, i])), [names]);
  return {
    rowAt(index) {
      const page = shown[Math.floor(index / PAGE) - (pages[0] ?? 0)];
      return page && page.offset === Math.floor(index / PAGE) * PAGE ? page.rows[index - page.offset] : undefined;
    },
    latest,
    cellOf,
    isStale: queries.some(({ isPlaceholderData }) => isPlaceholderData),
    error: queries.find(({ error }) => error)?.error ?? null,
    retry: () => queries.forEach((query) => void query.refetch()),
  };
}

/** The same list when nothing in it changed, so that what is drawn from it is not drawn again. */
function mapRows(rows: TableRow[], update: (row: TableRow) => TableRow): TableRow[] {
  const next = rows.map(update);
  return next.every((row, i) => row === rows[i]) ? rows : next;
}

/** While a page far down is on its way, the table keeps its height. */
function useLatest(page: RunsPage | undefined): RunsPage | null {
  const kept = useRef<RunsPage | null>(null);
  useEffect(() => {
    if (page) kept.current = page;
  });
  return page ?? kept.current;
}
