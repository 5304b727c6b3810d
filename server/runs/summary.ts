/** RunSummaryView: a run as tables, lists and live events show it. */
import type { NetworkName } from '@mealtable/protocol/networks';
import type { RunConfig } from '@mealtable/protocol/run-config';
import type { FailureCode, RunRole, RunStatus } from '@mealtable/protocol/statuses';
import type { RunSummaryView } from '@mealtable/protocol/views';
import type pg from 'pg';

export type Queryable = Pick<pg.Pool, 'query'>;

interface SummaryRow {
  id: string;
  study_id: string;
  study_name: string;
  variant_id: string;
  variant_label: string;
  role: RunRole;
  seed: number;
  task: RunConfig['task'];
  network: NetworkName;
  input_size: number;
  status: RunStatus;
  held_at: Date | null;
  cancel_requested_at: Date | null;
  pause_requested_at: Date | null;
  paused_by: string | null;
  priority: number;
  required_labels: string[];
  required_memory: string | null;
  failure_code: FailureCode | null;
  failure_message: string | null;
  attempt: number;
  max_attempts: number;
  host_id: string | null;
  host_name: string | null;
  steps_completed: number;
  total_steps: number | null;
  epochs: number;
  best_top1: number | null;
  best_epoch: number | null;
  last_top1: number | null;
  waiting_for: RunSummaryView['waitingFor'] | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/** Exactly one of these decides which runs. */
export type RunFilter = { runIds: string[] } | { studyId: string } | { activeOnHosts: true };

/** A run that was given more epochs has more steps from its next attempt on. */
const TOTAL_STEPS = `
  CASE WHEN r.status IN ('claimed', 'running') THEN r.total_steps
       ELSE GREATEST(r.total_steps, r.steps_per_epoch * (r.config->>'epochs')::int) END`;

const SELECT = `
  SELECT r.id, r.study_id, s.name AS study_name, r.variant_id, v.label AS variant_label, r.role, r.seed,
         r.config->>'task' AS task, r.network, v.input_size, r.status, r.held_at, r.cancel_requested_at,
         r.pause_requested_at, p.name AS paused_by, r.priority, r.required_labels, r.required_memory,
         r.failure_code, r.failure_message, r.attempt, r.max_attempts, r.host_id, h.name AS host_name,
         r.steps_completed, ${TOTAL_STEPS} AS total_steps, COALESCE((r.config->>'epochs')::int, (r.config#>>'{softLabels,viewsPerImage}')::int, 1) AS epochs,
         r.best_top1, r.best_epoch, r.last_top1, r.created_at, r.started_at, r.finished_at,
         CASE WHEN r.status = 'queued' THEN (
           SELECT json_agg(json_build_object('runId', n.id, 'label', nv.label, 'status', n.status) ORDER BY nv.position)
           FROM run_dependencies d JOIN runs n ON n.id = d.depends_on_id JOIN variants nv ON nv.id = n.variant_id
           WHERE d.run_id = r.id AND n.status <> 'succeeded'
         ) END AS waiting_for
  FROM runs r JOIN studies s ON s.id = r.study_id JOIN variants v ON v.id = r.variant_id
  LEFT JOIN hosts h ON h.id = r.host_id LEFT JOIN users p ON p.id = r.paused_by_id`;

/** @returns the runs in the order of their study's table: variant by variant, seed by seed */
export async function loadRunSummaries(db: Queryable, filter: RunFilter): Promise<RunSummaryView[]> {
  const order = 'ORDER BY r.study_id, v.position, r.seed';
  const { rows } =
    'runIds' in filter
      ? await db.query<SummaryRow>(`${SELECT} WHERE r.id = ANY($1) ${order}`, [filter.runIds])
      : 'studyId' in filter
        ? await db.query<SummaryRow>(`${SELECT} WHERE r.study_id = $1 ${order}`, [filter.studyId])
        : await db.query<SummaryRow>(
            `${SELECT} WHERE r.status IN ('claimed', 'running') AND r.host_id IS NOT NULL ${order}`,
          );
  return rows.map(toSummary);
}

/** @returns null when there is no such run */
export async function loadRunSummary(db: Queryable, runId: string): Promise<RunSummaryView | null> {
  return (await loadRunSummaries(db, { runIds: [runId] }))[0] ?? null;
}

export const toMillis = (date: Date | null): number | null => date?.getTime() ?? null;

function toSummary(row: SummaryRow): RunSummaryView {
  return {
    id: row.id,
    studyId: row.study_id,
    studyName: row.study_name,
    variantId: row.variant_id,
    variantLabel: row.variant_label,
    role: row.role,
    seed: row.seed,
    task: row.task,
    network: row.network,
    inputSize: row.input_size,
    status: row.status,
    heldAt: toMillis(row.held_at),
    cancelRequestedAt: toMillis(row.cancel_requested_at),
    pauseRequestedAt: toMillis(row.pause_requested_at),
    pausedBy: row.paused_by ?? '',
    priority: row.priority,
    requiredLabels: row.required_labels,
    requiredMemory: row.required_memory === null ? null : Number(row.required_memory),
    failureCode: row.failure_code,
    failureMessage: row.failure_message,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    hostId: row.host_id,
    hostName: row.host_name,
    stepsCompleted: row.steps_completed,
    totalSteps: row.total_steps,
    epochs: row.epochs,
    bestTop1: row.best_top1,
    bestEpoch: row.best_epoch,
    lastTop1: row.last_top1,
    waitingFor: row.waiting_for ?? [],
    createdAt: row.created_at.getTime(),
    startedAt: toMillis(row.started_at),
    finishedAt: toMillis(row.finished_at),
  };
}
