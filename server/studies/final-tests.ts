/** Top-1 of the final tests of many runs at once. */
import { fromWireNumber } from '@mealtable/protocol/wire-number';
import { loadSummaries } from '../metrics/chart/summaries.ts';
import type { Queryable } from '../runs/summary.ts';

const [BEST, LATEST] = ['test/best_top1', 'test/latest_top1'];

/** Percent, by run; runs without a final test are left out. Of several tests of a run the last one counts, whichever checkpoints it had. */
export async function loadFinalTests(
  db: Queryable,
  runIds: readonly string[],
): Promise<Map<string, { best: number | null; latest: number | null }>> {
  const summaries = await loadSummaries(db, runIds, [BEST!, LATEST!]);
  return new Map(
    Object.entries(summaries).map(([runId, metrics]) => {
      const lastStep = Math.max(...metrics.map((metric) => metric.lastStep));
      const of = (name: string | undefined) => {
        const found = metrics.find((metric) => metric.name === name && metric.lastStep === lastStep);
        const value = found ? fromWireNumber(found.last) : null;
        return value !== null && Number.isFinite(value) ? value : null;
      };
      return [runId, { best: of(BEST), latest: of(LATEST) }];
    }),
  );
}
