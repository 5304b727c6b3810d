/** What a run's final test measured: its saved checkpoints on the test images, or on all validation images. */
import type { FinalTestView } from '@mealtable/protocol/views';
import type { Queryable } from './summary.ts';

/** @returns null before there is one */
export async function loadFinalTest(db: Queryable, runId: string): Promise<FinalTestView | null> {
  const { rows } = await db.query<{ name: string; value: number }>(
    `SELECT DISTINCT ON (s.id) s.name, m.values[array_position(m.series_id, s.id)] AS value
     FROM metric_series s JOIN metric_records m ON m.run_id = s.run_id AND s.id = ANY(m.series_id)
     WHERE s.run_id = $1 AND s.name LIKE 'test/%' ORDER BY s.id, m.attempt DESC, m.seq DESC`,
    [runId],
  );
  if (rows.length === 0) return null;
  const values = new Map(rows.map(({ name, value }) => [name, value]));
  const of = (which: 'best' | 'latest') => {
    const [top1, top5] = [values.get(`test/${which}_top1`), values.get(`test/${which}_top5`)];
    return top1 === undefined || top5 === undefined ? null : { top1, top5 };
  };
  return { best: of('best'), latest: of('latest') };
}
