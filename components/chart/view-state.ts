/**
 * How charts are looked at, as the page's address holds it: every choice is a parameter `c.…`, and what is as usual has none. What a
 * parameter says is anybody's text, so each is parsed by itself: one that cannot be read falls back to the usual and breaks nothing.
 */
import { FACTOR_NAMES, type FactorName } from '@mealtable/protocol/factor-levels';
import { z } from 'zod';
import { X_AXES } from './axes.ts';
import { BANDS } from './mean-curve.ts';

export const MAX_SMOOTHING = 0.999;
/** Names in a list of the address. */
const MAX_NAMES = 500;
const MAX_NAME = 400;

const Factor = z.enum(FACTOR_NAMES as [FactorName, ...FactorName[]]);
const Name = z.string().min(1).max(MAX_NAME);
const Names = z.array(Name).max(MAX_NAMES);

export const ChartView = z.strictObject({
  axis: z.enum(X_AXES),
  isLog: z.boolean(),
  smoothing: z.number().min(0).max(MAX_SMOOTHING),
  ignoresOutliers: z.boolean(),
  /** Part of the x-axis that is shown, in its unit. */
  zoom: z
    .strictObject({ from: z.number(), to: z.number() })
    .refine(({ from, to }) => from < to)
    .nullable(),
  /** What makes a line: a run, all seeds of a variant, or all runs that are alike in some factors. */
  group: z.union([z.literal('runs'), z.literal('variants'), z.array(Factor).min(1)]),
  color: Factor.nullable(),
  dash: Factor.nullable(),
  facet: Factor.nullable(),
  band: z.enum(BANDS),
  /** The single runs behind a mean. */
  showsSeeds: z.boolean(),
  /** Keys of groups that are not drawn. */
  hidden: Names,
  /** Only charts whose metric's name has this in it. */
  search: z.string().max(MAX_NAME),
  /** Sections that are the other way than usual: shut where they begin open, open where they begin shut. */
  toggled: Names,
  /** The chart that is shown large. */
  large: Name.nullable(),
  /** The chart whose points are shown as a table. */
  table: Name.nullable(),
  /** By section, the page of its charts, from 1, where it is not the first. */
  pages: z.record(Name, z.int().min(2).max(100_000)),
});
export type ChartView = z.infer<typeof ChartView>;

export const STUDY_VIEW: ChartView = {
  ...{ axis: 'epoch', isLog: false, smoothing: 0, ignoresOutliers: false, zoom: null },
  ...{ group: 'variants', color: null, dash: null, facet: null, band: 'std', showsSeeds: false },
  ...{ hidden: [], search: '', toggled: [], large: null, table: null, pages: {} },
};
export const RUN_VIEW: ChartView = { ...STUDY_VIEW, axis: 'step', group: 'runs', band: 'none' };

/** Parameters of the address that are of charts; all others are somebody else's. */
export const PREFIX = 'c.';

const toBoolean = (text: string) => (text === '1' ? true : text === '0' ? false : text);
/** Not Number(''), which is 0. */
const toNumber = (text: string) => (text.trim() === '' ? text : Number(text));

/** For each parameter how it is written, null for not at all, and what zod is to judge. */
const PARAMETERS: {
  [K in keyof ChartView]: {
    name: string;
    write: (value: ChartView[K]) => string[];
    read: (texts: string[]) => unknown;
  };
} = {
  axis: { name: 'x', write: (axis) => [axis], read: ([text]) => text },
  isLog: { name: 'log', write: (isLog) => [isLog ? '1' : '0'], read: ([text]) => toBoolean(text as string) },
  smoothing: { name: 'smooth', write: (amount) => [String(amount)], read: ([text]) => toNumber(text as string) },
  ignoresOutliers: {
    name: 'outliers',
    write: (ignores) => [ignores ? '0' : '1'],
    read: ([text]) => (text === '0' ? true : text === '1' ? false : text),
  },
  zoom: {
    name: 'zoom',
    write: (zoom) => [zoom === null ? 'all' : `${zoom.from}~${zoom.to}`],
    read: ([text]) => {
      if (text === 'all') return null;
      const [from, to, ...rest] = (text as string).split('~').map(toNumber);
      return rest.length > 0 ? text : { from, to };
    },
  },
  group: {
    name: 'group',
    write: (group) => [Array.isArray(group) ? group.join('~') : group],
    read: ([text]) => (text === 'runs' || text === 'variants' ? text : [...new Set((text as string).split('~'))]),
  },
  color: { name: 'color', write: (factor) => [factor ?? 'none'], read: ([text]) => (text === 'none' ? null : text) },
  dash: { name: 'dash', write: (factor) => [factor ?? 'none'], read: ([text]) => (text === 'none' ? null : text) },
  facet: { name: 'facet', write: (factor) => [factor ?? 'none'], read: ([text]) => (text === 'none' ? null : text) },
  band: { name: 'band', write: (band) => [band], read: ([text]) => text },
  showsSeeds: { name: 'seeds', write: (shows) => [shows ? '1' : '0'], read: ([text]) => toBoolean(text as string) },
  hidden: { name: 'hide', write: (keys) => keys, read: (texts) => texts },
  search: { name: 'q', write: (text) => [text], read: ([text]) => text },
  toggled: { name: 'section', write: (names) => names, read: (texts) => texts },
  large: { name: 'large', write: (metric) => (metric === null ? [] : [metric]), read: ([text]) => text },
  table: { name: 'table', write: (metric) => (metric === null ? [] : [metric]), read: ([text]) => text },
  pages: {
    name: 'page',
    write: (pages) => Object.entries(pages).map(([section, page]) => `${page}~${section}`),
    read: (texts) =>
      Object.fromEntries(
        texts.map((text) => [
          text.slice(text.indexOf('~') + 1),
          toNumber(text.slice(0, Math.max(0, text.indexOf('~')))),
        ]),
      ),
  },
};
const FIELDS = Object.keys(PARAMETERS) as (keyof ChartView)[];
const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** @param usual what holds where the address says nothing, or nothing that can be read */
export function readView(params: URLSearchParams, usual: ChartView): ChartView {
  const view = { ...usual };
  const read = <K extends keyof ChartView>(field: K) => {
    const { name, read: parse } = PARAMETERS[field];
    const texts = params.getAll(PREFIX + name);
    if (texts.length === 0) return;
    const parsed = ChartView.shape[field].safeParse(parse(texts));
    if (parsed.success) view[field] = parsed.data as ChartView[K];
  };
  for (const field of FIELDS) read(field);
  return view;
}

/** Sets the parameters of charts and leaves all others as they are. @param usual as for readView */
export function writeView(params: URLSearchParams, view: ChartView, usual: ChartView): void {
  const write = <K extends keyof ChartView>(field: K) => {
    const { name, write: format } = PARAMETERS[field];
    params.delete(PREFIX + name);
    if (isSame(view[field], usual[field])) return;
    for (const text of format(view[field])) params.append(PREFIX + name, text);
  };
  for (const field of FIELDS) write(field);
}

/** The view alone, as saved views keep it. */
export function formatView(view: ChartView, usual: ChartView): string {
  const params = new URLSearchParams();
  writeView(params, view, usual);
  return params.toString();
}
