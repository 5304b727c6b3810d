import type { RunSummaryView } from '@mealtable/protocol/views';

/** A run in one line. A planned network's label already names it; its seed still tells runs apart. */
export const runTitle = (run: Pick<RunSummaryView, 'variantLabel' | 'seed'>): string =>
  `${run.variantLabel}, seed ${run.seed}`;
