import type { RunStatus } from '@mealtable/protocol/statuses';
import type { RunSummaryView } from '@mealtable/protocol/views';

export interface RunFilter {
  text: string;
  status: RunStatus | 'all';
}
export const EVERYTHING: RunFilter = { text: '', status: 'all' };

/** Every word must be somewhere in what the table shows of a run; a seed or host counts too. */
export function filterRuns(runs: readonly RunSummaryView[], filter: RunFilter): RunSummaryView[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter((run) => {
    if (filter.status !== 'all' && run.status !== filter.status) return false;
    if (words.length === 0) return true;
    const text = `${run.variantLabel} ${run.network} seed ${run.seed} ${run.hostName ?? ''} ${run.id}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
