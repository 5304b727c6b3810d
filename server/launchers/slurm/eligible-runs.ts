/**
 * Which queued runs get a batch job: those that ask for the launcher by its name, under the very conditions by which hosts claim.
 * A cluster stands there as one host: with the launcher's labels, and with what the node of its latest job had.
 */
import { fittingRuns, PLACEMENT_HOSTS, queueOrder, READY_RUNS, STUDY_ROOM } from '../../runs/placement.ts';
import type { Queryable } from '../../runs/summary.ts';
import type { LauncherRow } from '../launcher-rows.ts';

/** How long a node's report stands for the whole cluster; after that a run may find out what is there now. */
const REPORT_MINUTES = 30;

const CLUSTER = `
  SELECT NULL::text AS id, NULL::text AS agent_version, NULL::timestamptz AS draining_at, NULL::timestamptz AS resting_until,
         latest.slot_memory, $1::text[] AS labels, latest.weights,
         COALESCE(latest.evaluable, named.datasets) AS evaluable, COALESCE(latest.trainable, named.datasets) AS trainable
  FROM (SELECT array_agg(DISTINCT dataset) AS datasets FROM runs WHERE status = 'queued') named
  LEFT JOIN (${PLACEMENT_HOSTS}
             WHERE h.launcher_id = $2 AND h.last_seen_at > now() - ${REPORT_MINUTES} * interval '1 minute'
             ORDER BY h.last_seen_at DESC LIMIT 1) latest ON true`;

/** After a job that came to nothing or was taken back, the run waits for the next one: twice as long each time. */
const IS_BACKING_OFF = `
  EXISTS (SELECT 1 FROM (SELECT max(j.ended_at) AS last, count(*) AS ended FROM slurm_jobs j
                         WHERE j.run_id = f.id AND j.ended_at > now() - interval '2 hours') jobs
          WHERE jobs.last > now() - LEAST(600000, $5 * 2 ^ LEAST(jobs.ended, 12)) * interval '1 millisecond')`;

/** @returns ids in the order of the queue, without those that have an open job */
export async function findEligibleRuns(
  db: Queryable,
  { id, name, settings }: Pick<LauncherRow, 'id' | 'name' | 'settings'>,
  limit: number,
  backoffMs: number,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `WITH h AS MATERIALIZED (${CLUSTER}), ready AS (${READY_RUNS}), room AS (${STUDY_ROOM}),
     fitting AS (SELECT f.* FROM h CROSS JOIN LATERAL (${fittingRuns(' AND $3 = ANY(r.required_labels)')}) f)
     SELECT f.id FROM fitting f
     WHERE NOT EXISTS (SELECT 1 FROM slurm_jobs j WHERE j.run_id = f.id AND j.ended_at IS NULL) AND NOT ${IS_BACKING_OFF}
     ORDER BY ${queueOrder('f')} LIMIT $4`,
    [[name, ...settings.labels], id, name, limit, backoffMs],
  );
  return rows.map((row) => row.id);
}
