/** The one place from which the runs table reads metrics: their names, and what they come to in each run. */
import type { MetricSummary } from '@mealtable/protocol/chart-data';
import type { MetricSummaryName } from '@mealtable/protocol/run-query-metrics';
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
const CHUNK = 2_500;

/** @returns nothing for a metric that a run has not */
export async function loadRunSummaries(
  db: Queryable,
  runIds: readonly string[],
  metrics: readonly string[],
): Promise<RunMetricSummary[]> {
  const byRun = await loadSummaries(db, runIds, metrics);
  return Object.entries(byRun).flatMap(([runId, summaries]) => summaries.map((summary) => ({ runId, ...summary })));
}

/** Summaries of one metric, a column each. NaN stands for none, but for the last value, which may be NaN and is always there. */
export interface MetricPart {
  runIds: string[];
  columns: Record<StoredSummary, Float64Array>;
}
export const STORED_SUMMARIES = [
  ...['points', 'last', 'lastStep', 'lastEpoch'],
  ...['min', 'minStep', 'minEpoch', 'max', 'maxStep', 'maxEpoch'],
] as const;
export type StoredSummary = Exclude<MetricSummaryName, 'best' | 'bestEpoch'>;

/**
 * One metric of all runs of a study. Runs whose stored summaries lag behind their points are few: those that report now. All others
 * are read as they are stored, a column as one text: ten thousand rows as objects take six times as long.
 */
export async function loadMetric(
  db: Queryable,
  runIds: readonly string[],
  metric: string,
): Promise<{ lagging: RunMetricSummary[]; parts: MetricPart[] }> {
  const found: { lagging: RunMetricSummary[]; parts: MetricPart[] } = { lagging: [], parts: [] };
  for (let from = 0; from < runIds.length; from += CHUNK) {
    const chunk = runIds.slice(from, from + CHUNK);
    const { rows: behind } = await db.query<{ run_id: string }>(
      `SELECT DISTINCT c.run_id FROM metric_chunks c
       LEFT JOIN metric_marks m ON m.run_id = c.run_id AND m.attempt = c.attempt
       WHERE c.run_id = ANY($1) AND c.last_seq > COALESCE(m.summarised_seq, 0)`,
      [chunk],
    );
    const lagging = behind.map(({ run_id }) => run_id);
    if (lagging.length > 0) found.lagging.push(...(await loadRunSummaries(db, lagging, [metric])));
    const { rows } = await db.query<Record<'run_id' | StoredSummary, string | null>>(SELECT, [chunk, metric, lagging]);
    const [row] = rows;
    if (row && row.run_id !== null) found.parts.push(readPart(row as Record<'run_id' | StoredSummary, string>));
  }
  return found;
}

const SNAKE = /[A-Z]/g;
const columnOf = (stored: string) => stored.replace(SNAKE, (letter) => `_${letter.toLowerCase()}`);
/** Without an order each column is in that of the rows. Floats are written with all digits that tell them apart. */
const SELECT = `
  SELECT string_agg(run_id, ',') AS run_id, ${STORED_SUMMARIES.map(
    (stored) => `string_agg(COALESCE(${columnOf(stored)}::text, ''), ',') AS "${stored}"`,
  ).join(', ')}
  FROM metric_series
  WHERE run_id = ANY($1) AND name = $2 AND last IS NOT NULL AND run_id NOT IN (SELECT unnest($3::text[]))`;

function readPart(row: Record<'run_id' | StoredSummary, string>): MetricPart {
  const runIds = row.run_id.split(',');
  const entries = STORED_SUMMARIES.map((stored) => [stored, readNumbers(row[stored], runIds.length)]);
  return { runIds, columns: Object.fromEntries(entries) as MetricPart['columns'] };
}

/** By hand: hundreds of thousands of short texts would keep the garbage collector busy. */
function readNumbers(text: string, count: number): Float64Array {
  const numbers = new Float64Array(count);
  for (let i = 0, from = 0; i < count; i++) {
    const comma = text.indexOf(',', from);
    const to = comma < 0 ? text.length : comma;
    numbers[i] = to === from ? Number.NaN : Number(text.slice(from, to));
    from = to + 1;
  }
  return numbers;
}
