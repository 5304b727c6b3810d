/** The best model of each run of a study, as far as there is one. */
import { AppError } from '@mealtable/protocol/errors';
import type { BestCheckpointView } from '@mealtable/protocol/exports';
import type { NetworkName } from '@mealtable/protocol/networks';
import type { RunRole } from '@mealtable/protocol/statuses';
import { loadBestModels } from '../checkpoints/checkpoint-rows.ts';
import type { Queryable } from '../runs/summary.ts';

interface RunRow {
  id: string;
  variant_id: string;
  label: string;
  role: RunRole;
  seed: number;
  network: NetworkName;
}

/** In the order of the study's table, then by seed. @throws {AppError} not_found */
export async function loadBestCheckpoints(db: Queryable, studyId: string): Promise<BestCheckpointView[]> {
  const { rows: studies } = await db.query(`SELECT 1 FROM studies WHERE id = $1 AND kind = 'ablation'`, [studyId]);
  if (studies.length === 0) throw new AppError('not_found', `There is no study ${studyId}.`);
  const { rows } = await db.query<RunRow>(
    `SELECT r.id, r.variant_id, v.label, r.role, r.seed, r.network
     FROM runs r JOIN variants v ON v.id = r.variant_id
     WHERE r.study_id = $1 AND r.role NOT IN ('evaluation', 'labelling') ORDER BY v.position, r.seed`,
    [studyId],
  );
  const models = await loadBestModels(
    db,
    rows.map(({ id }) => id),
  );
  const found = rows.flatMap((run) => {
    const model = models.get(run.id);
    return model ? [{ run, model }] : [];
  });
  const best = new Map<string, (typeof found)[number]>();
  for (const candidate of found) {
    const before = best.get(candidate.run.variant_id);
    const isBetter = !before || (candidate.model.checkpoint.top1 ?? -1) > (before.model.checkpoint.top1 ?? -1);
    if (isBetter) best.set(candidate.run.variant_id, candidate);
  }
  return found.map((candidate) => {
    const { run, model } = candidate;
    return {
      runId: run.id,
      variantId: run.variant_id,
      variantLabel: run.label,
      role: run.role,
      seed: run.seed,
      network: run.network,
      checkpointId: model.checkpoint.id,
      epoch: model.checkpoint.epoch,
      top1: model.checkpoint.top1,
      sizeBytes: model.file.sizeBytes,
      sha256: model.file.sha256,
      isBestOfVariant: best.get(run.variant_id) === candidate,
    };
  });
}
