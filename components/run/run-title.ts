import type { RunSummaryView } from '@mealtable/protocol/views';

/** A run in one line. A planned network's label already names it; its seed still tells runs apart. An evaluation draws nothing at random, and labels are of one seed. */
export const runTitle = (run: Pick<RunSummaryView, 'variantLabel' | 'seed' | 'role'>): string =>
  run.role === 'evaluation' || run.role === 'labelling' ? run.variantLabel : `${run.variantLabel}, seed ${run.seed}`;
