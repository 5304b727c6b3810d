/** The table as CSV: all rows that match, in its order, with its columns. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { csvLine } from '@mealtable/protocol/csv';
import { AppError } from '@mealtable/protocol/errors';
import { StudyId } from '@mealtable/protocol/ids';
import { type RunsTableState, readRunsState } from '@mealtable/protocol/run-query-address';
import type { RunFieldKind } from '@mealtable/protocol/run-query-fields';
import type { RunCell } from '@mealtable/protocol/run-query-view';
import { nameFile } from '../../checkpoints/download-name.ts';
import type { Exchange } from '../../http/exchange.ts';
import { getCell } from './columns.ts';
import { askIndex, type TableHub } from './view.ts';

/** Rows made at once: a hub that serves agents must not stand still for longer. */
const CHUNK = 500;

/** GET /api/studies/:studyId/runs.csv - with the parameters that the table has in its page's address */
export async function downloadRuns({ hub, req, res, url, params }: Exchange): Promise<void> {
  const studyId = StudyId.safeParse(params.studyId).data;
  const { rows } = await hub.pool.query<{ name: string }>(
    `SELECT name FROM studies WHERE id = $1 AND kind = 'ablation'`,
    [studyId ?? ''],
  );
  if (!studyId || !rows[0]) throw new AppError('not_found', `There is no study ${params.studyId}.`);
  const lines = await exportLines(hub, studyId, readRunsState(url.searchParams));
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'text/csv; charset=utf-8');
  res.setHeader('Content-Disposition', `attachment; filename="${nameFile([rows[0].name, 'runs']) || 'runs'}.csv"`);
  if (req.method === 'HEAD') return void res.end();
  try {
    await pipeline(Readable.from(lines), res);
  } catch (error) {
    // The reader went away in the middle: nobody is left to be told.
    if (res.destroyed || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    throw error;
  }
}

/** Some lines at a time, the first with the names of the fields. @throws {AppError} invalid for a filter that cannot be read */
export async function exportLines(
  hub: TableHub,
  studyId: string,
  state: RunsTableState,
): Promise<AsyncGenerator<string>> {
  const names = ['id', ...state.columns.map(({ field }) => field).filter((name) => name !== 'id')];
  const { filter, sort } = state;
  const { index, view } = await askIndex(hub, studyId, { filter, sort, group: [] }, names);
  const { fault, now } = view;
  if (fault)
    throw new AppError('invalid', `The filter cannot be read at character ${fault.from + 1}: ${fault.message}`);
  // Looked up now: while the lines are sent, others may ask for so many metrics that these are dropped.
  const columns = view.columns.flatMap((field) => (field ? [{ field, column: index.column(field, now) }] : []));
  return writeLines();

  async function* writeLines() {
    yield csvLine(columns.map(({ field }) => field.name));
    for (let from = 0; from < view.rows.length; from += CHUNK) {
      const chunk = view.rows.slice(from, from + CHUNK);
      const line = (row: number) =>
        csvLine(columns.map(({ field, column }) => csvValue(getCell(column, row), field.kind)));
      yield chunk.map(line).join('');
      await yieldToOthers();
    }
  }
}

function csvValue(cell: RunCell, kind: RunFieldKind): string | number | boolean | null {
  if (typeof cell === 'number' && kind === 'date') return new Date(cell).toISOString();
  if (typeof cell === 'number' && kind === 'duration') return cell / 1000;
  return cell !== null && typeof cell === 'object' ? cell.join(', ') : cell;
}
