/** Reading checkpoints: which are complete, which is best, which is the one to go on from. */
import { CHECKPOINT_FILES, type CheckpointFile, LABEL_SET_FILE } from '@mealtable/protocol/records';
import type { Queryable } from '../runs/summary.ts';

export interface StoredCheckpoint {
  id: string;
  runId: string;
  attempt: number;
  stepsCompleted: number;
  epoch: number;
  top1: number | null;
  createdAt: Date;
  /** Every file has arrived, whole and verified. */
  complete: boolean;
  files: CheckpointFile[];
}

/** SQL condition: every file of checkpoint `c` has arrived. */
export const IS_COMPLETE = `NOT EXISTS (
  SELECT 1 FROM checkpoint_files f LEFT JOIN blobs b ON b.sha256 = f.sha256
  WHERE f.checkpoint_id = c.id AND b.sha256 IS NULL)`;

/** SQL condition: checkpoint `c` holds all that a trainer needs to go on, or labels. A model alone can only be used. */
export const IS_RESUMABLE = `(
  SELECT count(*) FILTER (WHERE f.name = '${LABEL_SET_FILE}') = 1
      OR count(*) FILTER (WHERE f.name IN ('${Object.values(CHECKPOINT_FILES).join("', '")}')) = ${Object.keys(CHECKPOINT_FILES).length}
  FROM checkpoint_files f WHERE f.checkpoint_id = c.id)`;

/** @returns the runs' checkpoints, oldest first */
export async function loadCheckpoints(db: Queryable, runIds: readonly string[]): Promise<StoredCheckpoint[]> {
  const { rows } = await db.query<{
    id: string;
    run_id: string;
    attempt: number;
    steps_completed: number;
    epoch: number;
    top1: number | null;
    created_at: Date;
    complete: boolean;
    files: CheckpointFile[];
  }>(
    `SELECT c.id, c.run_id, c.attempt, c.steps_completed, c.epoch, c.top1, c.created_at, ${IS_COMPLETE} AS complete,
            (SELECT json_agg(json_build_object('name', f.name, 'sha256', f.sha256, 'sizeBytes', f.size_bytes)
                             ORDER BY f.name)
             FROM checkpoint_files f WHERE f.checkpoint_id = c.id) AS files
     FROM checkpoints c WHERE c.run_id = ANY($1) ORDER BY c.run_id, c.steps_completed, c.created_at, c.id`,
    [runIds],
  );
  return rows.map((row) => ({
    id: row.id,
    runId: row.run_id,
    attempt: row.attempt,
    stepsCompleted: row.steps_completed,
    epoch: row.epoch,
    top1: row.top1,
    createdAt: row.created_at,
    complete: row.complete,
    files: row.files,
  }));
}

type Ranked = Pick<StoredCheckpoint, 'stepsCompleted' | 'top1'>;

/**
 * The highest top-1 first; among equals the earliest. What was not validated comes last, the latest of it first.
 * @param checkpoints of one run, oldest first
 */
export function rankBest<T extends Ranked>(checkpoints: readonly T[]): T[] {
  const validated = checkpoints.filter((c) => c.top1 !== null).toSorted((a, b) => Number(b.top1) - Number(a.top1));
  return [...validated, ...checkpoints.filter((c) => c.top1 === null).reverse()];
}

/**
 * The first of `rankBest`.
 * @param checkpoints of one run, oldest first
 */
export function pickBest<T extends Ranked>(checkpoints: readonly T[]): T | undefined {
  return rankBest(checkpoints)[0];
}

/** @param checkpoints of one run, oldest first */
export function pickLatest<T extends Ranked>(checkpoints: readonly T[]): T | undefined {
  return checkpoints.at(-1);
}

/** Whether these are labels, instead of a network's weights. */
export const holdsLabels = (c: Pick<StoredCheckpoint, 'files'>): boolean =>
  c.files.some(({ name }) => name === LABEL_SET_FILE);

export const isResumable = (c: Pick<StoredCheckpoint, 'complete' | 'files'>): boolean =>
  c.complete &&
  (holdsLabels(c) || Object.values(CHECKPOINT_FILES).every((name) => c.files.some((f) => f.name === name)));

/** True when a run has something to offer: at least one checkpoint with all its files. */
export async function hasCompleteCheckpoint(db: Queryable, runId: string): Promise<boolean> {
  const { rows } = await db.query(`SELECT 1 FROM checkpoints c WHERE c.run_id = $1 AND ${IS_COMPLETE} LIMIT 1`, [
    runId,
  ]);
  return rows.length > 0;
}

export interface BestModel {
  checkpoint: StoredCheckpoint;
  file: CheckpointFile;
}
/** The file that the best complete checkpoint of each run offers to others, by run id. */
export async function loadBestModels(db: Queryable, runIds: readonly string[]): Promise<Map<string, BestModel>> {
  const complete = (await loadCheckpoints(db, runIds)).filter((c) => c.complete);
  const models = new Map<string, BestModel>();
  for (const runId of new Set(complete.map((c) => c.runId))) {
    const checkpoint = pickBest(complete.filter((c) => c.runId === runId));
    const file = checkpoint?.files.find((f) => f.name === CHECKPOINT_FILES.model);
    if (checkpoint && file) models.set(runId, { checkpoint, file });
  }
  return models;
}
