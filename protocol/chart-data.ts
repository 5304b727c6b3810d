/** What a chart reads: one metric of one run, either as it was logged or in buckets that keep every extreme. Times are milliseconds since 1970. */
import { z } from 'zod';
import { RunId } from './ids.ts';
import type { RecordCursor } from './views.ts';
import type { WireNumber } from './wire-number.ts';

export const MAX_CHART_RUNS = 200;
export const MAX_CHART_METRICS = 50;
export const MAX_CHART_BUCKETS = 4_000;

export const ChartRequest = z.strictObject({
  runs: z.array(RunId).min(1).max(MAX_CHART_RUNS, `A chart reads ${MAX_CHART_RUNS} runs at once at most.`),
  metrics: z.array(z.string().min(1)).min(1).max(MAX_CHART_METRICS),
  /** First and last step wanted, both included; null for the run's own. */
  from: z.int().min(0).nullable().default(null),
  to: z.int().min(0).nullable().default(null),
  /** Entries of a series at most, about: one or two per pixel. A series with no more points comes as logged. */
  buckets: z.int().min(1).max(MAX_CHART_BUCKETS),
});
export type ChartRequest = z.infer<typeof ChartRequest>;

/**
 * Columns of the same length, by step. In a raw series each entry is a point and `min`, `max`, `first` and `last` are empty, because
 * all four are `value`. In a bucketed one `value` is the mean of the bucket's finite values (NaN without any), `step`, `epoch`
 * and `at` are those of its last point, and `min` and `max` leave out NaN but not the infinities.
 */
export interface ChartSeries {
  runId: string;
  metric: string;
  isRaw: boolean;
  /** Points that the range holds. */
  points: number;
  step: number[];
  epoch: number[];
  at: number[];
  value: WireNumber[];
  min: WireNumber[];
  max: WireNumber[];
  first: WireNumber[];
  last: WireNumber[];
  /** Buckets only: the step of the first point, and how many points there are. */
  firstStep: number[];
  count: number[];
}
export interface ChartReply {
  /** Series without a point in the range are left out. */
  series: ChartSeries[];
  /** By run, the newest record that the series hold: live records after it are still to be added. */
  through: Record<string, RecordCursor>;
}

/** What a table shows of one metric of one run. NaN counts as no value here; a series of nothing else has nulls. */
export interface MetricSummary {
  name: string;
  points: number;
  last: WireNumber;
  lastStep: number;
  lastEpoch: number;
  min: WireNumber | null;
  minStep: number | null;
  minEpoch: number | null;
  max: WireNumber | null;
  maxStep: number | null;
  maxEpoch: number | null;
}
