/** The runs table's columns: what they are called, how they sort, how wide they are. RunRow draws the cells. */
import { RUN_STATUSES } from '@mealtable/protocol/statuses';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { type ColumnDef, createColumnHelper } from '@tanstack/react-table';
import { runProgress } from '../run/run-progress.ts';

const column = createColumnHelper<RunSummaryView>();

export const epochsDone = (run: RunSummaryView): number => Math.floor((runProgress(run) ?? 0) * run.epochs + 1e-6);

/** What has no value yet sorts below all that has. */
const BELOW = -1;

export const RUN_COLUMNS = [
  column.accessor((run) => RUN_STATUSES.indexOf(run.status), { id: 'status', header: 'Status', size: 116 }),
  column.accessor('variantLabel', { id: 'variant', header: 'Variant', size: 280 }),
  column.accessor('seed', { id: 'seed', header: 'Seed', size: 64 }),
  column.accessor((run) => runProgress(run) ?? BELOW, { id: 'progress', header: 'Progress', size: 112 }),
  column.accessor((run) => run.bestTop1 ?? BELOW, { id: 'top1', header: 'Best top-1', size: 96 }),
  column.accessor(epochsDone, { id: 'epoch', header: 'Epoch', size: 80 }),
  column.accessor((run) => run.hostName ?? '', { id: 'host', header: 'Host', size: 112 }),
  column.accessor((run) => (run.startedAt === null ? BELOW : (run.finishedAt ?? Date.now()) - run.startedAt), {
    id: 'duration',
    header: 'Duration',
    size: 108,
  }),
  column.accessor((run) => run.startedAt ?? Number.POSITIVE_INFINITY, { id: 'started', header: 'Started', size: 88 }),
] as ColumnDef<RunSummaryView>[];

export const SELECT_WIDTH = 40;

/** Numbers are read at their right edge. */
export const RIGHT_ALIGNED: ReadonlySet<string> = new Set(['seed', 'top1', 'epoch', 'duration']);
