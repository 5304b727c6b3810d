/** What the runs table is asked: its fields, pages of rows, ranges to select, configs to compare. */
import { AppError } from '@mealtable/protocol/errors';
import type { RunSchema } from '@mealtable/protocol/run-query-fields';
import {
  MAX_SELECTED_RUNS,
  type RunConfigs,
  type RunsPage,
  type RunsPageRequest,
  type RunsView,
  type TableRow,
  type TableRun,
} from '@mealtable/protocol/run-query-view';
import { runIndexes } from './indexes.ts';
import { makePage, makeRows, shownRun } from './page.ts';
import { askIndex, type TableHub } from './view.ts';

const ANY: RunsView = { filter: '', sort: [], group: [] };

export async function loadRunSchema(hub: TableHub, studyId: string): Promise<RunSchema> {
  return (await runIndexes(hub).get(studyId)).fields(hub.visitor != null).schema;
}

export async function loadRunsPage(hub: TableHub, request: RunsPageRequest): Promise<RunsPage> {
  const { index, view } = await askIndex(hub, request.studyId, request.view, request.columns);
  return makePage(index, view, request);
}

/** Runs that are not of the study are left out. */
export async function loadRunRows(
  hub: TableHub,
  { studyId, columns, ids }: { studyId: string; columns: readonly string[]; ids: readonly string[] },
): Promise<TableRow[]> {
  const { index, view } = await askIndex(hub, studyId, ANY, columns);
  return makeRows(index, view, ids);
}

/**
 * @param between two runs, in any order; null for all. One that does not match (any more) ends nothing: the other stands alone.
 * @returns at most MAX_SELECTED_RUNS, and how many there are
 */
export async function loadRunRange(
  hub: TableHub,
  { studyId, view, between }: { studyId: string; view: RunsView; between: readonly [string, string] | null },
): Promise<{ matching: number; runs: TableRun[] }> {
  const asked = await askIndex(hub, studyId, view, []);
  const { index } = asked;
  const { rows, fault } = asked.view;
  // Who selects by a filter that cannot be read would get all runs: that is not what was meant.
  if (fault) throw new AppError('invalid', fault.message, [{ path: 'filter', message: fault.message }]);
  const within =
    between === null
      ? rows
      : sliceBetween(
          rows,
          between.map((id) => index.rowOf.get(id) ?? -1),
        );
  const runs = within.slice(0, MAX_SELECTED_RUNS).map((row) => shownRun(index, row, asked.view.isVisitor));
  return { matching: within.length, runs };
}

function sliceBetween(rows: readonly number[], ends: readonly number[]): number[] {
  const places = ends.map((row) => rows.indexOf(row)).filter((place) => place >= 0);
  return places.length === 0 ? [] : rows.slice(Math.min(...places), Math.max(...places) + 1);
}

/** In the order of the ids; runs that are not of the study are left out. */
export async function loadRunConfigs(hub: TableHub, studyId: string, ids: readonly string[]): Promise<RunConfigs> {
  const index = await runIndexes(hub).get(studyId);
  const rows = [...new Set(ids)].flatMap((id) => index.rowOf.get(id) ?? []);
  const fields = index
    .fields()
    .withoutMetrics()
    .filter(({ group }) => group === 'factor' || group === 'config')
    .filter(({ name }) => rows.some((row) => index.runs[row]!.factors.has(name) || index.runs[row]!.config.has(name)));
  return {
    fields: fields.map(({ name, words, group }) => ({ name, words: group === 'factor' ? words : name })),
    runs: rows.map((row) => ({
      run: shownRun(index, row, hub.visitor != null),
      values: fields.map(({ name }) => index.runs[row]!.factors.get(name) ?? index.runs[row]!.config.get(name) ?? null),
    })),
  };
}
