/** The list of studies: one statement, whatever the number of runs. */
import type { NetworkName } from '@mealtable/protocol/networks';
import { RUN_STATUSES, type RunStatus } from '@mealtable/protocol/statuses';
import type { StudyListItem } from '@mealtable/protocol/views';
import type { Queryable } from '../runs/summary.ts';

const COUNTS = RUN_STATUSES.map((status) => `count(*) FILTER (WHERE status = '${status}')::int AS ${status}`).join(
  ', ',
);

const LIST = `
  SELECT s.id, s.name, s.design->>'dataset' AS dataset, s.design#>>'{student,network}' AS network, s.created_at,
         COALESCE(u.name, '') AS created_by, c.*, best.mean, best.label
  FROM studies s
  LEFT JOIN users u ON u.id = s.created_by_id
  LEFT JOIN (SELECT study_id, count(*)::int AS run_count, ${COUNTS} FROM runs GROUP BY study_id) c ON c.study_id = s.id
  LEFT JOIN (
    SELECT DISTINCT ON (v.study_id) v.study_id, v.label, m.mean
    FROM (SELECT variant_id, avg(best_top1) AS mean FROM runs
          WHERE role = 'student' AND status = 'succeeded' AND best_top1 IS NOT NULL GROUP BY variant_id) m
    JOIN variants v ON v.id = m.variant_id
    ORDER BY v.study_id, m.mean DESC, v.position
  ) best ON best.study_id = s.id
  WHERE s.kind = 'ablation'
  ORDER BY s.created_at DESC, s.id DESC`;

/** Newest first. */
export async function listStudies(db: Queryable): Promise<StudyListItem[]> {
  const { rows } = await db.query<
    {
      id: string;
      name: string;
      dataset: string;
      network: NetworkName;
      created_at: Date;
      created_by: string;
      run_count: number | null;
      mean: number | null;
      label: string | null;
    } & Record<RunStatus, number | null>
  >(LIST);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    dataset: row.dataset,
    studentNetwork: row.network,
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
    runCount: row.run_count ?? 0,
    counts: Object.fromEntries(RUN_STATUSES.map((status) => [status, row[status] ?? 0])) as Record<RunStatus, number>,
    bestMeanTop1: row.mean,
    bestVariantLabel: row.label,
  }));
}
