/** Rewind: a new attempt goes back to a checkpoint, and what earlier attempts wrote beyond it never happened. */
import { readPoints } from '../metrics/read-points.ts';
import { rewindPoints } from '../metrics/rewind-points.ts';
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
  const { rows } = await tx.query<{ attempt: number }>('SELECT attempt FROM checkpoints WHERE id = $1', [
    claim.resumeCheckpointId,
  ]);
  await rewindPoints(tx, claim.runId, { step: claim.startStep, attempt: rows[0]?.attempt ?? null });
  await tx.query('DELETE FROM checkpoints WHERE run_id = $1 AND steps_completed > $2', [claim.runId, claim.startStep]);
  await tx.query('UPDATE runs SET steps_completed = $2 WHERE id = $1', [claim.runId, claim.startStep]);
  await recomputeTop1(tx, claim.runId);
  tx.emit('run:rewound', { runId: claim.runId, attempt: claim.attempt, stepsCompleted: claim.startStep });
}

/** Best and last val/top1 from the stored points: the same rule as `foldTop1`, over everything. */
export async function recomputeTop1(tx: Tx, runId: string): Promise<void> {
  let best: Top1Point | null = null;
  let last: Top1Point | null = null;
  for (const { rows, values } of await readPoints(tx, [runId], [VAL_TOP1]))
    for (const [i, value] of values.entries()) {
      if (!Number.isFinite(value)) continue;
      const point = { value, step: rows.step[i]!, epoch: rows.epoch[i]! };
      if (best === null || value > best.value || (value === best.value && point.epoch < best.epoch)) best = point;
      if (last === null || isLater(point, last)) last = point;
    }
  await tx.query('UPDATE runs SET best_top1 = $2, best_epoch = $3, last_top1 = $4 WHERE id = $1', [
    ...[runId, best?.value ?? null, best?.epoch ?? null, last?.value ?? null],
  ]);
}

interface Top1Point {
  value: number;
  step: number;
  epoch: number;
}
const isLater = (a: Top1Point, b: Top1Point) => a.step > b.step || (a.step === b.step && a.epoch > b.epoch);
