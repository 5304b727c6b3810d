/** Which checkpoints of a run are kept, and why: the best, the latest, of which one is resumed from, and whatever may still become either. */
import type { KeepReason, RetentionRule } from '@mealtable/protocol/retention';
import type { RunStatus } from '@mealtable/protocol/statuses';
import type { Queryable } from '../runs/summary.ts';
import type { Tx } from '../runs/transaction.ts';
import { holdsLabels, isResumable, loadCheckpoints, rankBest, type StoredCheckpoint } from './checkpoint-rows.ts';

type Candidate = Pick<StoredCheckpoint, 'id' | 'stepsCompleted' | 'top1' | 'complete' | 'files'>;

/** What the hub keeps where a study does not say. */
export const defaultRule = (keptCheckpoints: number): RetentionRule => ({ best: 1, latest: keptCheckpoints });

/**
 * @param checkpoints of one run, oldest first
 * @param evaluated ids that an evaluation needs
 * @returns the reasons of each; one without a reason is superseded
 */
export function judgeCheckpoints<T extends Candidate>(
  checkpoints: readonly T[],
  rule: RetentionRule,
  evaluated: ReadonlySet<string> = new Set(),
): Map<T, KeepReason[]> {
  const resumable = checkpoints.filter(isResumable);
  const newest = resumable.at(-1);
  // Fewer than are to be kept: all of them, and what lies between.
  const from = rule.latest === 0 ? Number.POSITIVE_INFINITY : (resumable.at(-rule.latest)?.stepsCompleted ?? 0);
  const best = new Set(rankBest(checkpoints.filter((c) => c.complete)).slice(0, rule.best));
  const bestOfAll = new Set(rankBest(checkpoints).slice(0, rule.best));
  const reasonsOf = (c: T): KeepReason[] => {
    if (!newest) return ['only'];
    const isLatest = c.stepsCompleted >= from;
    const isNewer = c.stepsCompleted > newest.stepsCompleted;
    const reasons: KeepReason[] = [];
    if (best.has(c)) reasons.push('best');
    if (c.complete && (isLatest || isNewer)) reasons.push('latest');
    // It may become the best, or what is gone on from.
    if (!c.complete && (isLatest || isNewer || bestOfAll.has(c))) reasons.push('arriving');
    if (evaluated.has(c.id)) reasons.push('evaluation');
    return reasons;
  };
  return new Map(checkpoints.map((c) => [c, reasonsOf(c)]));
}

/** Ids of those that nothing keeps. */
export function chooseSuperseded(
  checkpoints: readonly Candidate[],
  rule: RetentionRule,
  evaluated?: ReadonlySet<string>,
): string[] {
  return [...judgeCheckpoints(checkpoints, rule, evaluated)].flatMap(([c, reasons]) =>
    reasons.length === 0 ? [c.id] : [],
  );
}

/**
 * A study's rule for one of its runs. Whatever may go on again, or was made to be used by others as a whole, keeps its latest.
 * @param checkpoints of the run
 */
export function ruleFor(
  study: RetentionRule,
  status: RunStatus,
  checkpoints: readonly Pick<StoredCheckpoint, 'files'>[],
): RetentionRule {
  const mayKeepNone = status === 'succeeded' && !checkpoints.some(holdsLabels);
  return mayKeepNone ? study : { ...study, latest: Math.max(1, study.latest) };
}

export interface RunForRetention {
  id: string;
  status: RunStatus;
  rule: RetentionRule;
  /** Its study says so itself. */
  isOwn: boolean;
}

/** @param defaults for studies that do not say */
export async function loadRule(db: Queryable, runId: string, defaults: RetentionRule): Promise<RunForRetention | null> {
  const { rows } = await db.query<{ status: RunStatus; kept_best: number | null; kept_latest: number | null }>(
    `SELECT r.status, s.kept_best, s.kept_latest FROM runs r JOIN studies s ON s.id = r.study_id WHERE r.id = $1`,
    [runId],
  );
  const row = rows[0];
  if (!row) return null;
  const rule = { best: row.kept_best ?? defaults.best, latest: row.kept_latest ?? defaults.latest };
  return { id: runId, status: row.status, rule, isOwn: row.kept_best !== null || row.kept_latest !== null };
}

/** Checkpoints that evaluations which have not ended are about. */
export async function loadEvaluated(db: Queryable, checkpointIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT DISTINCT config#>>'{source,checkpointId}' AS id FROM runs
     WHERE role = 'evaluation' AND status IN ('queued', 'claimed', 'running')
       AND config#>>'{source,checkpointId}' = ANY($1)`,
    [checkpointIds],
  );
  return new Set(rows.map((row) => row.id));
}

/** The caller holds the run's lock. The files are deleted by a later sweep, when nothing refers to them any more. */
export async function pruneCheckpoints(tx: Tx, runId: string, defaults: RetentionRule): Promise<number> {
  const run = await loadRule(tx, runId, defaults);
  if (!run) return 0;
  const checkpoints = await loadCheckpoints(tx, [runId]);
  const rule = ruleFor(run.rule, run.status, checkpoints);
  const candidates = chooseSuperseded(checkpoints, rule);
  if (candidates.length === 0) return 0;
  const evaluated = await loadEvaluated(tx, candidates);
  const superseded = candidates.filter((id) => !evaluated.has(id));
  await tx.query('DELETE FROM checkpoints WHERE id = ANY($1)', [superseded]);
  return superseded.length;
}
