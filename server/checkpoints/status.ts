/** What the page of a run shows of its checkpoints besides themselves: why each is kept, and how much of each has arrived. */
import { AppError } from '@mealtable/protocol/errors';
import type { CheckpointStatusView } from '@mealtable/protocol/retention';
import type { Hub } from '../context.ts';
import { loadCheckpoints } from './checkpoint-rows.ts';
import { defaultRule, judgeCheckpoints, loadEvaluated, loadRule, ruleFor } from './retention.ts';

/** @throws {AppError} not_found */
export async function loadCheckpointStatus(
  hub: Pick<Hub, 'pool' | 'uploads' | 'env'>,
  runId: string,
): Promise<CheckpointStatusView> {
  const run = await loadRule(hub.pool, runId, defaultRule(hub.env.keptCheckpoints));
  if (!run) throw new AppError('not_found', `There is no run ${runId}.`);
  const checkpoints = await loadCheckpoints(hub.pool, [runId]);
  const ids = checkpoints.map((c) => c.id);
  const rule = ruleFor(run.rule, run.status, checkpoints);
  const judged = judgeCheckpoints(checkpoints, rule, await loadEvaluated(hub.pool, ids));
  const missing = checkpoints.filter((c) => !c.complete).flatMap((c) => c.files.map((file) => file.sha256));
  return {
    rule,
    isOwnRule: run.isOwn,
    kept: Object.fromEntries([...judged].map(([c, reasons]) => [c.id, reasons])),
    arriving: await loadArriving(hub, missing),
  };
}

/** Of several agents that send the same content, the one that is furthest counts. Files sent in one piece show no progress. */
async function loadArriving(
  { pool, uploads }: Pick<Hub, 'pool' | 'uploads'>,
  missing: readonly string[],
): Promise<Record<string, number>> {
  if (missing.length === 0) return {};
  const arriving: Record<string, number> = Object.fromEntries(missing.map((sha256) => [sha256, 0]));
  for (const { sha256, arrivedBytes } of uploads.files.list())
    if (sha256 in arriving) arriving[sha256] = Math.max(arriving[sha256] ?? 0, arrivedBytes);
  const { rows } = await pool.query<{ sha256: string }>('SELECT sha256 FROM blobs WHERE sha256 = ANY($1)', [missing]);
  for (const { sha256 } of rows) delete arriving[sha256];
  return arriving;
}
