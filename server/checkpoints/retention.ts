/** Which checkpoints of a run are kept: the best, the latest few, of which one is resumed from, and whatever may still become either. */
import type { Tx } from '../runs/transaction.ts';
import { isResumable, loadCheckpoints, pickBest, type StoredCheckpoint } from './checkpoint-rows.ts';

type Candidate = Pick<StoredCheckpoint, 'id' | 'stepsCompleted' | 'top1' | 'complete' | 'files'>;

/**
 * Superseded is what lies before the latest `kept` resumable checkpoints and is not the best: neither the best of those that
 * are complete, nor the best of all, whose files may still be on their way.
 * @param checkpoints of one run, oldest first @returns ids
 */
export function chooseSuperseded(checkpoints: readonly Candidate[], kept = 1): string[] {
  const oldest = checkpoints.filter(isResumable).at(-kept);
  if (!oldest) return [];
  const best = [pickBest(checkpoints), pickBest(checkpoints.filter((c) => c.complete))];
  return checkpoints.filter((c) => c.stepsCompleted < oldest.stepsCompleted && !best.includes(c)).map((c) => c.id);
}

/**
 * The caller holds the run's lock. A checkpoint that is about to be evaluated stays, too. The files are deleted by a later sweep, when nothing refers to them any more.
 */
export async function pruneCheckpoints(tx: Tx, runId: string, kept: number): Promise<void> {
  const superseded = chooseSuperseded(await loadCheckpoints(tx, [runId]), kept);
  if (superseded.length === 0) return;
  await tx.query(
    `DELETE FROM checkpoints c WHERE c.id = ANY($1) AND NOT EXISTS (
       SELECT 1 FROM runs r WHERE r.role = 'evaluation' AND r.status IN ('queued', 'claimed', 'running')
         AND r.config#>>'{source,checkpointId}' = c.id)`,
    [superseded],
  );
}
