/** Rewind: a new attempt goes back to a checkpoint, and what earlier attempts wrote beyond it never happened. */
import { VAL_TOP1 } from '../metrics/top1-progress.ts';
import type { ClaimedRun } from './claim.ts';
import type { Tx } from './transaction.ts';

/**
 * Deletes points and (necessarily incomplete) checkpoints beyond the claim's start step, and computes the run's progress
 * again from what remains. Logs stay: they are what happened, not a curve.
 * At the start step itself the points of attempts later than the checkpoint go as well: a checkpoint saved between an
 * epoch's last step and its validation makes each attempt that goes on from it validate at that very step.
 */
export async function rewindRun(tx: Tx, claim: ClaimedRun): Promise<void> {
  await tx.query(
    `DELETE FROM metric_records WHERE run_id = $1
     AND (step > $2 OR (step = $2 AND attempt > (SELECT attempt FROM checkpoints WHERE id = $3)))`,
    [claim.runId, claim.startStep, claim.resumeCheckpointId],
  );
  await tx.query('DELETE FROM checkpoints WHERE run_id = $1 AND steps_completed > $2', [claim.runId, claim.startStep]);
  await tx.query('UPDATE runs SET steps_completed = $2 WHERE id = $1', [claim.runId, claim.startStep]);
  await recomputeTop1(tx, claim.runId);
  tx.emit('run:rewound', { runId: claim.runId, attempt: claim.attempt, stepsCompleted: claim.startStep });
}

/** Best and last val/top1 from the stored points: the same rule as `foldTop1`, over everything. */
export async function recomputeTop1(tx: Tx, runId: string): Promise<void> {
  await tx.query(
    `WITH top1 AS (
       SELECT v.value, m.epoch, m.step
       FROM metric_series s JOIN metric_records m ON m.run_id = s.run_id
       CROSS JOIN LATERAL unnest(m.series_id, m.values) AS v(series_id, value)
       WHERE s.run_id = $1 AND s.name = $2 AND v.series_id = s.id
         AND v.value NOT IN ('NaN', 'Infinity', '-Infinity')
     ), best AS (SELECT value, epoch FROM top1 ORDER BY value DESC, epoch LIMIT 1),
        last AS (SELECT value FROM top1 ORDER BY step DESC, epoch DESC LIMIT 1)
     UPDATE runs SET best_top1 = (SELECT value FROM best), best_epoch = (SELECT epoch FROM best),
            last_top1 = (SELECT value FROM last)
     WHERE id = $1`,
    [runId, VAL_TOP1],
  );
}
