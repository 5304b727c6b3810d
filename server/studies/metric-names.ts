import type { Queryable } from '../runs/summary.ts';

/** Every metric that a run of the study has ever had, by name. */
export async function metricNamesOf(db: Queryable, studyId: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    'SELECT DISTINCT s.name FROM metric_series s JOIN runs r ON r.id = s.run_id WHERE r.study_id = $1 ORDER BY s.name',
    [studyId],
  );
  return rows.map(({ name }) => name);
}
