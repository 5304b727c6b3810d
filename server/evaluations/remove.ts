/** Removing an evaluation with its points and its log. */
import { AppError } from '@mealtable/protocol/errors';
import { isActive, type RunStatus } from '@mealtable/protocol/statuses';
import { removeMetrics } from '../metrics/rows.ts';
import { type CoreHub, transact } from '../runs/transaction.ts';

/** @throws {AppError} not_found, or conflict while a host works on it */
export async function removeEvaluation(hub: CoreHub, runId: string): Promise<void> {
  await transact(hub, async (tx) => {
    const { rows } = await tx.query<{ status: RunStatus; study_id: string; variant_id: string }>(
      `SELECT status, study_id, variant_id FROM runs WHERE id = $1 AND role = 'evaluation' FOR UPDATE`,
      [runId],
    );
    const [run] = rows;
    if (!run) throw new AppError('not_found', `There is no evaluation ${runId}.`);
    if (isActive(run.status)) throw new AppError('conflict', 'A host works on it. Cancel it first, then remove it.');
    await removeMetrics(tx, [runId]);
    await tx.query('DELETE FROM log_lines WHERE run_id = $1', [runId]);
    await tx.query('DELETE FROM output_lines WHERE run_id = $1', [runId]);
    await tx.query('DELETE FROM runs WHERE id = $1', [runId]);
    await tx.query('DELETE FROM variants v WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM runs WHERE variant_id = v.id)', [
      run.variant_id,
    ]);
    tx.emit('study:changed', { studyId: run.study_id });
  });
}
