/** What a table shows of a metric of a run: its summaries, and which of its values is the best one. */

export const METRIC_SUMMARIES = [
  'best',
  'bestEpoch',
  'last',
  'min',
  'max',
  'lastEpoch',
  'lastStep',
  'minEpoch',
  'minStep',
  'maxEpoch',
  'maxStep',
  'points',
] as const;
export type MetricSummaryName = (typeof METRIC_SUMMARIES)[number];

/** Names of sections and metrics are anybody's; these words say of which the low values are wanted, and of which the high ones. */
const LOW_IS_GOOD = /(^|[/_.-])(loss|error|err|perplexity|ece|nll|mse|mae)([/_.-]|$)/i;
const HIGH_IS_GOOD = /(^|[/_.-])(top\d*|acc|accuracy|f1|auc|precision|recall|agreement)([/_.-]|$)/i;

/** Whether a metric's lowest or highest value is its best; null where neither is, such as for a learning rate. */
export function bestOf(metric: string): 'min' | 'max' | null {
  if (LOW_IS_GOOD.test(metric)) return 'min';
  return HIGH_IS_GOOD.test(metric) ? 'max' : null;
}

/** What a metric's bare name stands for: its best value, or its last one where none is best. */
export const defaultSummary = (metric: string): 'best' | 'last' => (bestOf(metric) === null ? 'last' : 'best');

/** Summaries that a metric has; the shown ones first. */
export const summariesOf = (metric: string): readonly MetricSummaryName[] =>
  bestOf(metric) === null ? METRIC_SUMMARIES.slice(2) : METRIC_SUMMARIES;

/** `val/top1.max` is the summary max of val/top1. @returns null when the name ends in no summary */
export function splitMetricField(name: string): { metric: string; summary: MetricSummaryName } | null {
  const dot = name.lastIndexOf('.');
  if (dot < 1) return null;
  const summary = METRIC_SUMMARIES.find((known) => known === name.slice(dot + 1));
  return summary ? { metric: name.slice(0, dot), summary } : null;
}
