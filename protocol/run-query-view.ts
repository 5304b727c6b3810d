/** What the page asks of the runs table, and what the hub answers: rows by the window, never all of them. */
import { z } from 'zod';
import { RunId, StudyId } from './ids.ts';
import { MAX_QUERY_LENGTH } from './run-query.ts';
import type { QueryFault } from './run-query-tokens.ts';
import type { RunSummaryView } from './views.ts';

export const MAX_SORT_KEYS = 5;
export const MAX_GROUP_FIELDS = 3;
export const MAX_OPEN_GROUPS = 200;
export const MAX_TABLE_COLUMNS = 200;
export const MAX_PAGE_ROWS = 200;
export const MAX_COMPARED_RUNS = 50;
/** As many as the actions on runs take at once. */
export const MAX_SELECTED_RUNS = 10_000;

const FieldName = z.string().min(1).max(400);

/** Names of fields that the study does not have do no harm: they are left out, and the answer says so. */
export const RunsView = z.strictObject({
  filter: z.string().max(MAX_QUERY_LENGTH).default(''),
  /** The first decides, those after it decide where it does not. */
  sort: z
    .array(z.strictObject({ field: FieldName, descending: z.boolean() }))
    .max(MAX_SORT_KEYS)
    .default([]),
  /** Outermost first. */
  group: z.array(FieldName).max(MAX_GROUP_FIELDS).default([]),
});
export type RunsView = z.infer<typeof RunsView>;

export const RunsPageRequest = z.strictObject({
  studyId: StudyId,
  view: RunsView,
  /** Keys of groups whose runs are shown. */
  open: z.array(z.string().max(2_000)).max(MAX_OPEN_GROUPS).default([]),
  columns: z.array(FieldName).max(MAX_TABLE_COLUMNS),
  offset: z.int().min(0),
  limit: z.int().min(1).max(MAX_PAGE_ROWS),
});
export type RunsPageRequest = z.infer<typeof RunsPageRequest>;

/** Some rows by id: what a page asks for when these runs have changed. */
export const RunsRowsRequest = z.strictObject({
  studyId: StudyId,
  columns: RunsPageRequest.shape.columns,
  ids: z.array(RunId).min(1).max(MAX_PAGE_ROWS),
});

/** Runs that match, in the table's order: all of them, or those between two. */
export const RunsRangeRequest = z.strictObject({
  studyId: StudyId,
  view: RunsView,
  between: z.tuple([RunId, RunId]).nullable(),
});

/** Milliseconds for durations and dates. Null for no value. */
export type RunCell = number | string | boolean | readonly string[] | null;

/** What actions need to know of a run, and the cells that are drawn as more than their value. */
export type TableRun = Pick<
  RunSummaryView,
  | 'id'
  | 'studyId'
  | 'variantLabel'
  | 'role'
  | 'seed'
  | 'task'
  | 'status'
  | 'heldAt'
  | 'pauseRequestedAt'
  | 'cancelRequestedAt'
  | 'priority'
  | 'requiredLabels'
  | 'requiredMemory'
  | 'epochs'
  | 'stepsCompleted'
  | 'totalSteps'
  | 'startedAt'
  | 'finishedAt'
>;

export interface RunTableRow {
  kind: 'run';
  /** How many groups it is in. */
  depth: number;
  run: TableRun;
  /** As the columns that were asked for; those that do not exist are null. */
  cells: RunCell[];
}
/** Of a group's runs. */
export type GroupCell =
  /** Standard deviation with n - 1; null below two values. Values that are not finite are left out. */
  | { kind: 'mean'; mean: number; std: number | null; n: number }
  | { kind: 'same'; value: RunCell }
  | { kind: 'distinct'; count: number };
export interface GroupTableRow {
  kind: 'group';
  depth: number;
  /** Names it in `open`. */
  key: string;
  field: string;
  value: RunCell;
  runs: number;
  isOpen: boolean;
  cells: GroupCell[];
}
export type TableRow = RunTableRow | GroupTableRow;

export interface RunsPage {
  /** Of the schema: when it is another, there is more to show. */
  version: string;
  /** Of the study. */
  total: number;
  /** That match the filter. */
  matching: number;
  /** Rows of the table, groups included. */
  rowCount: number;
  offset: number;
  rows: TableRow[];
  /** Fields of sort, group and columns that the study does not have. */
  unknown: string[];
  /** The filter cannot be read: all runs are shown. */
  fault: QueryFault | null;
}

/** The configs of a few runs, for comparing them. */
export interface RunConfigs {
  /** All fields that any of them has, in the order of the config. */
  fields: { name: string; words: string }[];
  runs: { run: TableRun; values: RunCell[] }[];
}

/** Of one run out of its summary. */
export function toTableRun(run: RunSummaryView): TableRun {
  return {
    id: run.id,
    studyId: run.studyId,
    variantLabel: run.variantLabel,
    role: run.role,
    seed: run.seed,
    task: run.task,
    status: run.status,
    heldAt: run.heldAt,
    pauseRequestedAt: run.pauseRequestedAt,
    cancelRequestedAt: run.cancelRequestedAt,
    priority: run.priority,
    requiredLabels: run.requiredLabels,
    requiredMemory: run.requiredMemory,
    epochs: run.epochs,
    stepsCompleted: run.stepsCompleted,
    totalSteps: run.totalSteps,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
  };
}
