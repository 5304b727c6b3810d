/** A view of the table as the index can answer it: its fields looked up, its filter read. */
import { fieldsOfQuery, type Query, readQuery } from '@mealtable/protocol/run-query';
import type { RunField } from '@mealtable/protocol/run-query-fields';
import type { QueryFault } from '@mealtable/protocol/run-query-tokens';
import type { RunsView } from '@mealtable/protocol/run-query-view';
import type { Hub } from '../../context.ts';
import { orderRows, type SortKey } from './arrange.ts';
import { type IndexHub, runIndexes } from './indexes.ts';
import type { RunIndex } from './run-index.ts';

export interface TableHub extends IndexHub, Pick<Hub, 'now'> {
  /** Who asks came by a share link. */
  visitor?: object | null;
}

export interface ReadView {
  query: Query | null;
  fault: QueryFault | null;
  sort: SortKey[];
  group: RunField[];
  /** Null where the study has no such field. */
  columns: (RunField | null)[];
  unknown: string[];
  isVisitor: boolean;
  /** When it was asked. */
  now: number;
  /** Rows of runs that match, in order. */
  rows: number[];
}

/** The newest orders of each index: pages of one view are cut from the same one, and so are those of everybody who looks at it. */
const MAX_REMEMBERED = 16;
/** What counts from now is counted anew this often. */
const CLOCK_MS = 5_000;
const remembered = new WeakMap<RunIndex, { version: number; orders: Map<string, number[]> }>();

/** The study's index as it is now, and the view of it. All that both need is loaded: what follows needs to wait for nothing. */
export async function askIndex(
  hub: TableHub,
  studyId: string,
  view: RunsView,
  columns: readonly string[],
): Promise<{ index: RunIndex; view: ReadView }> {
  const isVisitor = hub.visitor != null;
  let resolved: ResolvedView | undefined;
  const index = await runIndexes(hub).get(studyId, (known) => {
    resolved = resolveView(known, view, columns, isVisitor);
    return resolved.fields;
  });
  const { fields: _, ...read } = resolved!;
  const now = Math.floor(hub.now().getTime() / CLOCK_MS) * CLOCK_MS;
  const rows = rememberedOrder(index, { view, now, isVisitor }, () =>
    orderRows(index, read.query, read.sort, now, isVisitor),
  );
  return { index, view: { ...read, now, rows } };
}

interface ResolvedView extends Omit<ReadView, 'now' | 'rows'> {
  /** All that it looks at. */
  fields: RunField[];
}

function resolveView(index: RunIndex, view: RunsView, columns: readonly string[], isVisitor: boolean): ResolvedView {
  const fields = index.fields(isVisitor);
  const unknown = new Set<string>();
  const find = (name: string): RunField | null => {
    const field = fields.get(name);
    if (!field) unknown.add(name);
    return field ?? null;
  };
  const reading = readQuery(view.filter, fields);
  const query = reading.ok ? reading.query : null;
  const sort = view.sort.flatMap(({ field: name, descending }) => {
    const field = find(name);
    return field ? [{ field, descending }] : [];
  });
  const group = [...new Set(view.group)].flatMap((name) => find(name) ?? []);
  const shown = columns.map(find);
  const asked = [...fieldsOfQuery(query)].flatMap((name) => fields.get(name) ?? []);
  return {
    query,
    fault: reading.ok ? null : reading.fault,
    sort,
    group,
    columns: shown,
    unknown: [...unknown],
    isVisitor,
    fields: [...asked, ...sort.map(({ field }) => field), ...group, ...shown.flatMap((field) => field ?? [])],
  };
}

function rememberedOrder(
  index: RunIndex,
  of: { view: RunsView; now: number; isVisitor: boolean },
  make: () => number[],
): number[] {
  let known = remembered.get(index);
  if (known?.version !== index.version) {
    known = { version: index.version, orders: new Map() };
    remembered.set(index, known);
  }
  const key = JSON.stringify([of.view.filter, of.view.sort, of.now, of.isVisitor]);
  const rows = known.orders.get(key) ?? make();
  known.orders.delete(key);
  known.orders.set(key, rows);
  const oldest = known.orders.keys().next().value;
  if (known.orders.size > MAX_REMEMBERED && oldest !== undefined) known.orders.delete(oldest);
  return rows;
}
