/** What a run's final test measured: its saved checkpoints on the test images, or on all validation images. */
import type { FinalTestView } from '@mealtable/protocol/views';
import { fromWireNumber } from '@mealtable/protocol/wire-number';
import { loadSummaries } from '../metrics/chart/summaries.ts';
import type { Queryable } from './summary.ts';

const FINAL_TEST_METRICS = ['best', 'latest'].flatMap((which) => [`test/${which}_top1`, `test/${which}_top5`]);

/** @returns null before there is one */
export async function loadFinalTest(db: Queryable, runId: string): Promise<FinalTestView | null> {
  const summaries = (await loadSummaries(db, [runId], FINAL_TEST_METRICS))[runId] ?? [];
  if (summaries.length === 0) return null;
  const values = new Map(summaries.map(({ name, last }) => [name, fromWireNumber(last)]));
  const of = (which: 'best' | 'latest') => {
    const [top1, top5] = [values.get(`test/${which}_top1`), values.get(`test/${which}_top5`)];
    return top1 === undefined || top5 === undefined ? null : { top1, top5 };
  };
  return { best: of('best'), latest: of('latest') };
}
