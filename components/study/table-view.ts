/** What a study's tables show, as it stands in the page's address: a link shows another person the same table. */
import { FACTOR_NAMES, type FactorName } from '@mealtable/protocol/factor-levels';
import { VariantId } from '@mealtable/protocol/ids';
import { TOP1_METRICS } from '@mealtable/protocol/top1-metrics';
import { z } from 'zod';

export const COST_NAMES = ['hours', 'parameters', 'macs', 'images'] as const;
export type CostName = (typeof COST_NAMES)[number];

/** Names separated by commas; those that there are none of, and second ones, are passed over. */
const namesOf = <T extends string>(known: readonly T[]) =>
  z.string().transform((text) => [...new Set(text.split(','))].filter((name): name is T => known.includes(name as T)));

/** Each by itself falls back: one bad value in an old or mistyped link must not lose the others. */
const fields = {
  view: z.enum(['variants', 'pivot']).catch('variants'),
  /** Null: what the study's factors suggest. */
  rows: namesOf(FACTOR_NAMES).nullable().catch(null),
  columns: namesOf(FACTOR_NAMES).nullable().catch(null),
  metric: z.enum(TOP1_METRICS).catch('best'),
  costs: namesOf(COST_NAMES).catch([]),
  /** Null: the study's own. */
  reference: VariantId.nullable().catch(null),
  decimals: z.enum(['0', '1', '2', '3']).transform(Number).catch(2),
  /** In the cells of the pivot; the other table always has them. */
  differences: z
    .enum(['0', '1'])
    .transform((text) => text === '1')
    .catch(false),
};
const TableFields = z.object(fields);
export type TableView = z.infer<typeof TableFields> & {
  /** Keys of the levels at which factors are held that are on no axis of the pivot. */
  held: Partial<Record<FactorName, string>>;
};

/** Before each name, since other parts of the page keep theirs in the address too. */
const PREFIX = 't.';
const HELD = `${PREFIX}at.`;
const MAX_LEVEL = 2_000;

export function parseTableView(search: URLSearchParams): TableView {
  const given = Object.fromEntries(Object.keys(fields).map((name) => [name, search.get(PREFIX + name)]));
  const held = FACTOR_NAMES.flatMap((name) => {
    const key = search.get(HELD + name);
    return key === null || key.length > MAX_LEVEL ? [] : [[name, key] as const];
  });
  return { ...TableFields.parse(given), held: Object.fromEntries(held) };
}
export const DEFAULT_VIEW: TableView = parseTableView(new URLSearchParams());

/** What stands in the address for each; null for what the address need not say. */
function written(view: TableView): Record<string, string | null> {
  return {
    view: view.view,
    rows: view.rows === null ? null : view.rows.join(','),
    columns: view.columns === null ? null : view.columns.join(','),
    metric: view.metric,
    costs: view.costs.join(','),
    reference: view.reference,
    decimals: String(view.decimals),
    differences: view.differences ? '1' : '0',
  };
}

/**
 * Writes a view into a search, whose other parts stay.
 * @param isFull also what is the default now, so that the link shows the same when defaults have changed
 */
export function writeTableView(search: URLSearchParams, view: TableView, isFull = false): URLSearchParams {
  const result = new URLSearchParams(search);
  for (const name of [...result.keys()]) if (name.startsWith(PREFIX)) result.delete(name);
  const defaults = written(DEFAULT_VIEW);
  for (const [name, text] of Object.entries(written(view)))
    if (text !== null && (isFull || text !== defaults[name])) result.set(PREFIX + name, text);
  for (const name of FACTOR_NAMES) {
    const key = view.held[name];
    if (key !== undefined) result.set(HELD + name, key);
  }
  return result;
}
