/** The state of the runs table in a page's address: what links, saved views and exports hold. Whatever it says can be read. */
import { MAX_QUERY_LENGTH } from './run-query.ts';
import {
  MAX_GROUP_FIELDS,
  MAX_OPEN_GROUPS,
  MAX_SORT_KEYS,
  MAX_TABLE_COLUMNS,
  type RunsView,
} from './run-query-view.ts';

export interface TableColumn {
  field: string;
  /** Stays while the others scroll. */
  isPinned: boolean;
  /** Pixels; null for the usual width. */
  width: number | null;
}
export interface RunsTableState extends RunsView {
  /** Keys of open groups. */
  open: string[];
  /** From left to right; pinned ones first. */
  columns: TableColumn[];
}

const column = (field: string, isPinned = false): TableColumn => ({ field, isPinned, width: null });
export const DEFAULT_COLUMNS: readonly TableColumn[] = [
  column('status', true),
  column('variant', true),
  ...['seed', 'progress', 'top1', 'bestEpoch', 'epoch', 'host', 'duration', 'started'].map((field) => column(field)),
];
export const DEFAULT_STATE: RunsTableState = {
  filter: '',
  sort: [],
  group: [],
  open: [],
  columns: [...DEFAULT_COLUMNS],
};

export const MIN_COLUMN_WIDTH = 48;
export const MAX_COLUMN_WIDTH = 1_000;
const MAX_NAME = 400;

/** Other parts of the page have parameters of their own in the same address. */
const PREFIX = 'runs.';
export const RUNS_PARAMETERS = ['filter', 'sort', 'group', 'open', 'columns'].map((name) => PREFIX + name);

/** Names of fields hold none of these signs; whatever does is spelled as addresses do. */
const SIGNS = /[%,*:]|^-/g;
const escapeName = (name: string) =>
  name.replace(SIGNS, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
const readName = (text: string) =>
  text.replace(/%([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/** @returns only what differs from the usual, so that the plain table has a plain address */
export function writeRunsState(state: RunsTableState): URLSearchParams {
  const params = new URLSearchParams();
  if (state.filter.trim() !== '') params.set('runs.filter', state.filter);
  if (state.sort.length > 0)
    params.set(
      'runs.sort',
      state.sort.map(({ field, descending }) => (descending ? '-' : '') + escapeName(field)).join(),
    );
  if (state.group.length > 0) params.set('runs.group', state.group.map(escapeName).join());
  for (const key of state.group.length > 0 ? state.open : []) params.append('runs.open', key);
  const columns = writeColumns(state.columns);
  if (columns !== writeColumns(DEFAULT_COLUMNS)) params.set('runs.columns', columns);
  return params;
}

const writeColumns = (columns: readonly TableColumn[]) =>
  columns
    .map(
      ({ field, isPinned, width }) => (isPinned ? '*' : '') + escapeName(field) + (width === null ? '' : `:${width}`),
    )
    .join();

/** @param params of an address, which anybody may have written: what is too much or no number is left out */
export function readRunsState(params: URLSearchParams): RunsTableState {
  const list = (name: string, most: number) =>
    [...new Set((params.get(name) ?? '').split(',').filter((part) => part !== '' && part.length <= MAX_NAME))].slice(
      0,
      most,
    );
  return {
    filter: (params.get('runs.filter') ?? '').slice(0, MAX_QUERY_LENGTH),
    sort: list('runs.sort', MAX_SORT_KEYS).map((part) => ({
      field: readName(part.replace(/^-/, '')),
      descending: part.startsWith('-'),
    })),
    group: list('runs.group', MAX_GROUP_FIELDS).map(readName),
    open: [...new Set(params.getAll('runs.open').filter(isGroupKey))].slice(0, MAX_OPEN_GROUPS),
    columns: params.has('runs.columns') ? readColumns(list('runs.columns', MAX_TABLE_COLUMNS)) : [...DEFAULT_COLUMNS],
  };
}

/** JSON of a list, as groups are named. */
function isGroupKey(key: string): boolean {
  if (key.length > 2_000) return false;
  try {
    return Array.isArray(JSON.parse(key));
  } catch {
    return false;
  }
}

function readColumns(parts: readonly string[]): TableColumn[] {
  const columns = new Map<string, TableColumn>();
  for (const part of parts) {
    const [name = '', width = ''] = part.replace(/^\*/, '').split(':');
    const field = readName(name);
    if (field === '' || columns.has(field)) continue;
    const pixels = /^\d{1,5}$/.test(width) ? clampWidth(Number(width)) : null;
    columns.set(field, { field, isPinned: part.startsWith('*'), width: pixels });
  }
  return orderColumns([...columns.values()]);
}

export const clampWidth = (pixels: number): number =>
  Math.round(Math.min(MAX_COLUMN_WIDTH, Math.max(MIN_COLUMN_WIDTH, pixels)));

/** Pinned ones first, each part in its order. */
export const orderColumns = (columns: readonly TableColumn[]): TableColumn[] => [
  ...columns.filter(({ isPinned }) => isPinned),
  ...columns.filter(({ isPinned }) => !isPinned),
];
