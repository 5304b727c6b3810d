/** The summary of each metric of runs: count, last, lowest and highest value, with where they were. */
import type { MetricSummary } from '@mealtable/protocol/chart-data';
import { toWireNumber } from '@mealtable/protocol/wire-number';
import type { Queryable } from '../../runs/summary.ts';
import { foldChunks, type StoredSummary, toSummary } from '../summary/keep-summaries.ts';
import type { SeriesSummary } from '../summary/summary.ts';

interface Row extends StoredSummary {
  run_id: string;
  name: string | null;
  attempt: number;
  data: Buffer | null;
}

/**
 * Every stored point counts, also what the summaries in the table do not hold yet: both are read in one statement.
 * @param names only these metrics; all when left out
 * @returns by run, metrics by name; runs and metrics without points are left out
 */
export async function loadSummaries(
  db: Queryable,
  runIds: readonly string[],
  names: readonly string[] | null = null,
): Promise<Record<string, MetricSummary[]>> {
  const { rows } = await db.query<Row>(
    `SELECT run_id, name, 0 AS attempt, 0 AS first_seq, NULL::bytea AS data, id, points, last, last_step, last_epoch, last_attempt,
            min, min_step, min_epoch, max, max_step, max_epoch
     FROM metric_series WHERE run_id = ANY($1) AND ($2::text[] IS NULL OR name = ANY($2))
     UNION ALL
     SELECT c.run_id, NULL, c.attempt, c.first_seq, c.data, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
     FROM metric_chunks c LEFT JOIN metric_marks m ON m.run_id = c.run_id AND m.attempt = c.attempt
     WHERE c.run_id = ANY($1) AND c.last_seq > COALESCE(m.summarised_seq, 0)
     ORDER BY run_id, attempt, first_seq, name`,
    [runIds, names],
  );
  const known = new Map<number, SeriesSummary>();
  for (const row of rows) {
    const summary = row.data === null ? toSummary(row) : null;
    if (summary) known.set(row.id, summary);
  }
  foldChunks(
    known,
    rows.flatMap(({ attempt, data }) => (data === null ? [] : [{ attempt, data }])),
  );
  const byRun: Record<string, MetricSummary[]> = {};
  for (const { run_id, name, id } of rows) {
    const summary = known.get(id);
    if (name === null || !summary) continue;
    byRun[run_id] ??= [];
    byRun[run_id].push(toView(name, summary));
  }
  return byRun;
}

function toView(name: string, { points, last, min, max }: SeriesSummary): MetricSummary {
  return {
    ...{ name, points, last: toWireNumber(last.value), lastStep: last.step, lastEpoch: last.epoch },
    ...{ min: min && toWireNumber(min.value), minStep: min?.step ?? null, minEpoch: min?.epoch ?? null },
    ...{ max: max && toWireNumber(max.value), maxStep: max?.step ?? null, maxEpoch: max?.epoch ?? null },
  };
}
