/** StudyProgress: runs by status, and the time that is left. */
import { AppError } from '@mealtable/protocol/errors';
import { RUN_STATUSES, type RunStatus } from '@mealtable/protocol/statuses';
import type { StudyProgress } from '@mealtable/protocol/study-page';
import { queueOrder } from '../runs/placement.ts';
import { type Queryable, toMillis } from '../runs/summary.ts';
import { estimateTimeLeft, type PacedRun } from './time-left.ts';

/** Runs that wait come in the order in which they are claimed. */
const RUNS = `
  SELECT r.id, r.variant_id, r.role || ' ' || r.network || ' ' || v.input_size AS kind, r.status,
         r.status = 'queued' AND r.held_at IS NOT NULL AS is_paused, r.steps_completed, r.steps_per_epoch,
         COALESCE((r.config->>'epochs')::int, (r.config#>>'{softLabels,viewsPerImage}')::int, 1) AS epochs,
         a.started_at, a.ended_at, COALESCE(a.start_step, 0) AS start_step
  FROM runs r JOIN variants v ON v.id = r.variant_id
  LEFT JOIN run_attempts a ON a.run_id = r.id AND a.attempt = r.attempt
  WHERE r.study_id = $1 ORDER BY ${queueOrder('r')}`;

/** What the study's waiting runs need that has not ended well yet. */
const NEEDS = `
  SELECT d.run_id, d.depends_on_id FROM runs r JOIN run_dependencies d ON d.run_id = r.id JOIN runs n ON n.id = d.depends_on_id
  WHERE r.study_id = $1 AND r.status = 'queued' AND n.status <> 'succeeded'`;

/** Queued runs of other studies that are before the first of this one. */
const AHEAD = `
  WITH mine AS (
    SELECT priority, created_at FROM runs WHERE study_id = $1 AND status = 'queued' AND held_at IS NULL
    ORDER BY priority DESC, created_at LIMIT 1)
  SELECT count(*)::int AS n FROM runs r, mine
  WHERE r.status = 'queued' AND r.held_at IS NULL AND r.study_id <> $1
    AND (r.priority > mine.priority OR (r.priority = mine.priority AND r.created_at < mine.created_at))`;

/** @param now milliseconds since 1970 @throws {AppError} not_found */
export async function loadProgress(db: Queryable, studyId: string, now: number): Promise<StudyProgress> {
  const { rowCount } = await db.query(`SELECT 1 FROM studies WHERE id = $1 AND kind = 'ablation'`, [studyId]);
  if (rowCount === 0) throw new AppError('not_found', `There is no study ${studyId}.`);
  const { rows } = await db.query<{
    id: string;
    variant_id: string;
    kind: string;
    status: RunStatus;
    is_paused: boolean;
    steps_completed: number;
    steps_per_epoch: number | null;
    epochs: number;
    started_at: Date | null;
    ended_at: Date | null;
    start_step: number;
  }>(RUNS, [studyId]);
  const { rows: needs } = await db.query<{ run_id: string; depends_on_id: string }>(NEEDS, [studyId]);
  const needsOf = new Map<string, string[]>();
  for (const { run_id, depends_on_id } of needs) needsOf.set(run_id, [...(needsOf.get(run_id) ?? []), depends_on_id]);
  const ahead = await db.query<{ n: number }>(AHEAD, [studyId]);
  const counts = Object.fromEntries(RUN_STATUSES.map((status) => [status, 0])) as Record<RunStatus, number>;
  for (const { status } of rows) counts[status]++;
  const runs = rows.map(
    (row): PacedRun => ({
      id: row.id,
      variantId: row.variant_id,
      kind: row.kind,
      status: row.status,
      isPaused: row.is_paused,
      stepsCompleted: row.steps_completed,
      stepsPerEpoch: row.steps_per_epoch,
      epochs: row.epochs,
      startedAt: toMillis(row.started_at),
      endedAt: toMillis(row.ended_at),
      startStep: row.start_step,
      needs: needsOf.get(row.id) ?? [],
    }),
  );
  return {
    counts,
    paused: runs.filter((run) => run.isPaused).length,
    left: estimateTimeLeft(runs, ahead.rows[0]?.n ?? 0, now),
  };
}
