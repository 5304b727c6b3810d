/** What each run of a study has cost so far: slot time, and what its network is to compute. */
import { networkCost } from '@mealtable/protocol/network-cost';
import type { NetworkName } from '@mealtable/protocol/networks';
import { medianOf } from '@mealtable/protocol/statistics/moments';
import type { RunCostView } from '@mealtable/protocol/views';
import { loadClassCounts } from '../hosts/datasets.ts';
import { readPoints } from '../metrics/read-points.ts';
import type { Queryable } from '../runs/summary.ts';

interface RunRow {
  id: string;
  network: NetworkName;
  input_size: number;
  dataset: string;
  parameter_count: number | null;
  attempts: number;
  gpu_ms: number;
  cpu_ms: number;
  is_open: boolean;
}

/** Of all runs that are in the study's tables. @returns nothing for a study that there is not */
export async function loadStudyCosts(db: Queryable, studyId: string): Promise<RunCostView[]> {
  // An attempt that never began has told no device: its host's stands for it.
  const { rows } = await db.query<RunRow>(
    `WITH held AS (
       SELECT a.run_id, a.ended_at IS NULL AND r.finished_at IS NULL AS is_open,
              COALESCE(a.device, CASE WHEN jsonb_array_length(h.report->'gpus') > 0 THEN 'gpu' ELSE 'cpu' END) AS device,
              GREATEST(0, extract(epoch FROM COALESCE(a.ended_at, r.finished_at, now()) - a.claimed_at)) * 1000 AS ms
       FROM runs r JOIN run_attempts a ON a.run_id = r.id LEFT JOIN hosts h ON h.id = a.host_id
       WHERE r.study_id = $1)
     SELECT r.id, v.network, v.input_size, r.dataset, r.parameter_count, count(h.run_id)::int AS attempts,
            COALESCE(sum(h.ms) FILTER (WHERE h.device <> 'cpu'), 0)::float8 AS gpu_ms,
            COALESCE(sum(h.ms) FILTER (WHERE h.device = 'cpu'), 0)::float8 AS cpu_ms,
            COALESCE(bool_or(h.is_open), false) AS is_open
     FROM runs r JOIN variants v ON v.id = r.variant_id LEFT JOIN held h ON h.run_id = r.id
     WHERE r.study_id = $1 AND v.role <> 'labelling' GROUP BY r.id, v.id ORDER BY v.position, v.key, r.seed`,
    [studyId],
  );
  const [classCounts, speeds] = await Promise.all([
    loadClassCounts(db),
    loadMedianSpeeds(
      db,
      rows.map(({ id }) => id),
    ),
  ]);
  return rows.map((row) => ({
    runId: row.id,
    slotMs: { gpu: row.gpu_ms, cpu: row.cpu_ms },
    attempts: row.attempts,
    isOpen: row.is_open,
    ...sizeOf(row, classCounts.get(row.dataset)),
    imagesPerS: speeds.get(row.id) ?? null,
  }));
}

/** @param known classes of the dataset, while some host has it */
function sizeOf({ network, input_size, parameter_count }: RunRow, known: number | undefined) {
  const classes = classesOf(network, parameter_count) ?? known;
  if (classes === undefined) return { parameters: parameter_count, macs: null };
  const { parameters, macs } = networkCost(network, input_size, classes);
  return { parameters: parameter_count ?? parameters, macs };
}

/** From the number of parameters, which grows by the same with each class. @returns null for what no number of classes gives */
export function classesOf(network: NetworkName, parameterCount: number | null): number | null {
  if (parameterCount === null) return null;
  const [without, each] = [0, 1].map((classes) => networkCost(network, undefined, classes).parameters) as [
    number,
    number,
  ];
  const classes = (parameterCount - without) / (each - without);
  return Number.isInteger(classes) && classes > 0 ? classes : null;
}

/** Median over all points of a run, whatever attempt they are of. */
async function loadMedianSpeeds(db: Queryable, runIds: readonly string[]): Promise<Map<string, number>> {
  const points = new Map<string, number[]>();
  for (const { runId, values } of await readPoints(db, runIds, ['train/images_per_s'])) {
    const known = points.get(runId) ?? [];
    if (known.length === 0) points.set(runId, known);
    for (const value of values) if (Number.isFinite(value)) known.push(value);
  }
  return new Map(
    [...points].flatMap(([runId, speeds]) => {
      const median = medianOf(speeds);
      return median === null ? [] : [[runId, median] as const];
    }),
  );
}
