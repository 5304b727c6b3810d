/** The numbers of a run that a table can be made of. */
import type { Top1Value } from './views.ts';

export const TOP1_METRICS = ['best', 'last', 'test-best', 'test-latest'] as const;
export type Top1Metric = (typeof TOP1_METRICS)[number];

interface MetricWords {
  /** Of choices. */
  name: string;
  /** Of columns in exports: short, and the metric's own name. */
  column: string;
  /** In captions, after "Top-1 in percent". */
  caption: string;
}

const TESTED = 'on the test images, or on all validation images where the dataset has no test images';

export const TOP1_METRIC_WORDS: Record<Top1Metric, MetricWords> = {
  best: {
    name: 'Best epoch',
    column: 'val/top1 at its best epoch',
    caption: 'on the validation images, at the best epoch of each run',
  },
  last: {
    name: 'Last epoch',
    column: 'val/top1 at the last epoch',
    caption: 'on the validation images, at the last epoch of each run',
  },
  'test-best': {
    name: 'Final test, best',
    column: 'test/best_top1',
    caption: `of the final test: each run’s best checkpoint, read back from its file, ${TESTED}`,
  },
  'test-latest': {
    name: 'Final test, latest',
    column: 'test/latest_top1',
    caption: `of the final test: each run’s latest checkpoint, read back from its file, ${TESTED}`,
  },
};

type Numbers = Pick<Top1Value, 'top1' | 'last' | 'testBest' | 'testLatest'>;

/** Percent; null where the run has no such number (yet). */
export function numberOf({ top1, last, testBest, testLatest }: Numbers, metric: Top1Metric): number | null {
  return { best: top1, last, 'test-best': testBest, 'test-latest': testLatest }[metric];
}

/** The best epoch belongs to the best checkpoint alone. */
export const hasBestEpoch = (metric: Top1Metric): boolean => metric === 'best' || metric === 'test-best';

/** Rows whose values are those of a metric: what tables, strips and differences are then made of. */
export function withMetric<T extends { values: Top1Value[] }>(rows: readonly T[], metric: Top1Metric): T[] {
  return rows.map((row) => ({
    ...row,
    values: row.values.map((value) => ({
      ...value,
      top1: numberOf(value, metric),
      epoch: hasBestEpoch(metric) ? value.epoch : null,
    })),
  }));
}

/** The metrics that any run has a number of; the best epoch's always, being what a study is judged by. */
export const metricsPresent = (rows: readonly { values: readonly Top1Value[] }[]): Top1Metric[] =>
  TOP1_METRICS.filter(
    (metric) =>
      metric === 'best' || rows.some(({ values }) => values.some((value) => numberOf(value, metric) !== null)),
  );
