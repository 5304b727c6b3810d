/** How long the hub takes for pages of the table, over HTTP on loopback: sorts, filters and groups, each asked for the first time. */
import { RunsView } from '@mealtable/protocol/run-query-view';
import type { Api } from '../../test/support/hub-process.ts';
import { cpuSecondsOf } from '../hub/cpu.ts';
import { METRICS } from './seed.ts';

export interface Times {
  n: number;
  p50: number;
  p95: number;
  max: number;
}
export function summarise(times: readonly number[]): Times {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (q: number) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0).toFixed(1));
  return { n: sorted.length, p50: at(0.5), p95: at(0.95), max: at(1) };
}

export const COLUMNS = [
  ...['status', 'variant', 'seed', 'progress', 'top1', 'bestEpoch', 'host', 'duration', 'started', 'teachers'],
  ...['val/top1.best', 'val/loss.min', 'train/loss.last', 'config.optimizer.learningRate'],
];

/** No two are alike: nothing is answered from what was remembered. */
export function makeViews(): { kind: 'sort' | 'filter' | 'group'; view: RunsView }[] {
  const sortFields = [
    ...['variant', 'seed', 'top1', 'host', 'duration', 'created', 'status', 'id', 'failureMessage', 'teachers'],
    ...['config.seed', 'config.teachers', 'temperature', 'inputSize', 'discriminator'],
    ...METRICS.slice(0, 25).map((name) => `${name}.max`),
  ];
  const filters = [
    'status = running',
    'top1 > 70 and teachers has "resnet152"',
    'val/top1.max > 50 and val/loss.min < 40 or seed in (1, 2, 3)',
    'not (host ~ "gpu") and duration > 1h',
    '"seed 7" or t152',
    'created > 30d ago and status not in (queued, cancelled)',
    'config.optimizer.learningRate <= 0.01 and config.ema.warmup',
    'failureMessage ~ "NaN at step 1"',
    'layers/block3.stat2.last > 50 and layers/block4.stat4.min != none',
    'variant ~ "temperature 4" and discriminator = on and inputSize = 224',
  ];
  const groups = [
    ['teachers'],
    ['host', 'status'],
    ['temperature', 'discriminator', 'inputSize'],
    ['variant'],
    ['seed'],
    ['started'],
  ];
  const sort = (field: string, descending: boolean) => [{ field, descending }];
  return [
    ...sortFields.flatMap((field) =>
      [false, true].map((descending) => ({
        kind: 'sort' as const,
        view: RunsView.parse({ sort: sort(field, descending) }),
      })),
    ),
    ...filters.flatMap((filter) =>
      [...METRICS.slice(0, 3), 'seed', 'top1'].map((field) => ({
        kind: 'filter' as const,
        view: RunsView.parse({ filter, sort: [...sort(field, true), { field: 'seed', descending: false }] }),
      })),
    ),
    ...groups.flatMap((group) =>
      ['val/top1.best', 'train/loss.min', 'top1', 'variant', 'duration'].map((field) => ({
        kind: 'group' as const,
        view: RunsView.parse({ group, sort: sort(field, false) }),
      })),
    ),
  ];
}

/** Each metric's first use reads it from the database: that is counted apart. */
export async function measureServer(api: Api, studyId: string, hubPid: number) {
  const page = async (view: RunsView, offset = 0) => {
    const begun = performance.now();
    const { rows } = await api.runsTable.page.query({ studyId, view, columns: COLUMNS, open: [], offset, limit: 100 });
    return { ms: performance.now() - begun, rows: rows.length };
  };
  const begun = performance.now();
  await api.runsTable.schema.query({ studyId });
  const firstMs = performance.now() - begun;
  await page(RunsView.parse({}));
  const firstUses: number[] = [];
  for (const metric of METRICS)
    firstUses.push((await page(RunsView.parse({ sort: [{ field: `${metric}.last`, descending: true }] }))).ms);
  const times: Record<'sort' | 'filter' | 'group' | 'scroll', number[]> = {
    sort: [],
    filter: [],
    group: [],
    scroll: [],
  };
  const cpuBefore = cpuSecondsOf(hubPid);
  for (const { kind, view } of makeViews()) times[kind].push((await page(view)).ms);
  const cpuSeconds = cpuSecondsOf(hubPid) - cpuBefore;
  for (let offset = 0; offset < 5_000; offset += 250) times.scroll.push((await page(RunsView.parse({}), offset)).ms);
  const asked = [...times.sort, ...times.filter, ...times.group];
  return {
    indexMs: Number(firstMs.toFixed(0)),
    firstUseOfMetric: summarise(firstUses),
    all: summarise(asked),
    /** Whatever else the machine does, what a page costs the hub: mean. */
    cpuMsPerPage: Number(((cpuSeconds * 1000) / asked.length).toFixed(1)),
    ...Object.fromEntries(Object.entries(times).map(([kind, some]) => [kind, summarise(some)])),
  } as { indexMs: number; firstUseOfMetric: Times; all: Times; cpuMsPerPage: number } & Record<
    keyof typeof times,
    Times
  >;
}
