/** Runs whose best checkpoint can teach or start another, as the form and the design check see them. */
import type { KnownRun } from '@mealtable/protocol/expand-design';
import type { NetworkName } from '@mealtable/protocol/networks';
import type { TeacherOption } from '@mealtable/protocol/views';
import { loadClassCounts } from '../hosts/datasets.ts';
import type { Queryable } from '../runs/summary.ts';

interface CandidateRow {
  id: string;
  variant_key: string;
  position: number;
  seed: number;
  study_name: string;
  network: NetworkName;
  dataset: string;
  input_size: number;
  best_top1: number | null;
  succeeded: boolean;
}

const SELECT = `
  SELECT r.id, v.key AS variant_key, v.position, r.seed, s.name AS study_name, r.network, r.dataset, v.input_size,
         r.best_top1, r.status = 'succeeded' AS succeeded
  FROM runs r JOIN variants v ON v.id = r.variant_id JOIN studies s ON s.id = r.study_id`;

/** Short enough for a table's row label: a planned network by its key, others by network, place in the table and seed. */
export function describeTeacher(row: {
  variant_key: string;
  position: number;
  seed: number;
  study_name: string;
  network: string;
}): string {
  const planned = /^planned:(.+)$/.exec(row.variant_key)?.[1];
  const who = planned ?? `${row.network} row ${row.position + 1} seed ${row.seed}`;
  return `${who} (${row.study_name})`;
}

/**
 * Succeeded runs, best first, then those that may still succeed.
 * @param dataset only runs of this dataset; null = all whose dataset some host has
 */
export async function loadTeacherOptions(db: Queryable, dataset: string | null): Promise<TeacherOption[]> {
  const { rows } = await db.query<CandidateRow>(
    `${SELECT} WHERE r.status NOT IN ('failed', 'cancelled') AND r.role NOT IN ('evaluation', 'labelling')
       AND ($1::text IS NULL OR r.dataset = $1)
     ORDER BY succeeded DESC, r.best_top1 DESC NULLS LAST, r.created_at DESC`,
    [dataset],
  );
  const classCounts = await loadClassCounts(db);
  return rows.flatMap((row) => {
    const classCount = classCounts.get(row.dataset);
    if (classCount === undefined) return [];
    return {
      runId: row.id,
      label: describeTeacher(row),
      network: row.network,
      dataset: row.dataset,
      classCount,
      inputSize: row.input_size,
      top1: row.best_top1,
      succeeded: row.succeeded,
    };
  });
}

/** What is known of these runs, whatever became of them. */
export async function loadKnownRuns(db: Queryable, runIds: readonly string[]): Promise<Map<string, KnownRun>> {
  if (runIds.length === 0) return new Map();
  const { rows } = await db.query<CandidateRow>(
    `${SELECT} WHERE r.id = ANY($1) AND r.role NOT IN ('evaluation', 'labelling')`,
    [runIds],
  );
  const classCounts = await loadClassCounts(db);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        runId: row.id,
        label: describeTeacher(row),
        network: row.network,
        dataset: row.dataset,
        classCount: classCounts.get(row.dataset) ?? null,
        succeeded: row.succeeded,
      },
    ]),
  );
}
