/** The one place from which the runs table reads metrics: their names, and what they come to in each run. */
import type { MetricSummary } from '@mealtable/protocol/chart-data';
import { loadSummaries } from '../../metrics/chart/summaries.ts';
import type { Queryable } from '../../runs/summary.ts';

export interface RunMetricSummary extends MetricSummary {
  runId: string;
}

/** Names of all metrics of the study's runs, sorted. */
export async function loadMetricNames(db: Queryable, studyId: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT DISTINCT s.name FROM metric_series s JOIN runs r ON r.id = s.run_id WHERE r.study_id = $1 ORDER BY s.name`,
    [studyId],
  );
  return rows.map(({ name }) => name);
}

/** One round trip reads so many runs: a hub that serves agents must not stand still for longer. */
const CHUNK = 2_000;

/** @returns nothing for a metric that a run has not */
export async function loadRunSummaries(
  db: Queryable,
  runIds: readonly string[],
  metrics: readonly string[],
): Promise<RunMetricSummary[]> {
  const found: RunMetricSummary[] = [];
  for (let from = 0; from < runIds.length; from += CHUNK) {
    const byRun = await loadSummaries(db, runIds.slice(from, from + CHUNK), metrics);
    for (const [runId, summaries] of Object.entries(byRun))
      for (const summary of summaries) found.push({ runId, ...summary });
  }
  return found;
}
