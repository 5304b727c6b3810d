/** The model of a checkpoint as exports need it: its file, and what else decides what is made of it. */
import { AppError } from '@mealtable/protocol/errors';
import { OWN_PREPROCESSING } from '@mealtable/protocol/evaluation';
import type { ModelFacts } from '@mealtable/protocol/exports';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import { RunConfig } from '@mealtable/protocol/run-config';
import { loadDatasetOptions } from '../hosts/datasets.ts';
import type { Queryable } from '../runs/summary.ts';

export interface ModelSource {
  checkpointId: string;
  runId: string;
  sourceSha256: string;
  sizeBytes: number;
  facts: ModelFacts;
  /** For the file's name. */
  names: { study: string; variant: string; seed: number; epoch: number };
}

interface SourceRow {
  id: string;
  run_id: string;
  epoch: number;
  sha256: string;
  size_bytes: string;
  arrived: boolean;
  config: unknown;
  study: string;
  variant: string;
  seed: number;
}

/** @throws {AppError} not_found when the checkpoint is not there, is no network's, or has not arrived */
export async function loadModelSource(db: Queryable, checkpointId: string): Promise<ModelSource> {
  const [source] = await loadModelSources(db, [checkpointId]);
  if (source) return source;
  throw new AppError(
    'not_found',
    `There is no model of a checkpoint ${checkpointId}, or it has not arrived from its host yet.`,
  );
}

/** Those that have arrived, in no particular order. */
export async function loadModelSources(db: Queryable, checkpointIds: readonly string[]): Promise<ModelSource[]> {
  const { rows } = await db.query<SourceRow>(
    `SELECT c.id, c.run_id, c.epoch, f.sha256, f.size_bytes, r.config, s.name AS study, v.label AS variant, r.seed
     FROM checkpoints c JOIN checkpoint_files f ON f.checkpoint_id = c.id AND f.name = $2
     JOIN blobs b ON b.sha256 = f.sha256
     JOIN runs r ON r.id = c.run_id JOIN studies s ON s.id = r.study_id JOIN variants v ON v.id = r.variant_id
     WHERE c.id = ANY($1)`,
    [checkpointIds, CHECKPOINT_FILES.model],
  );
  if (rows.length === 0) return [];
  const datasets = await loadDatasetOptions(db);
  return rows.flatMap((row) => {
    const config = RunConfig.parse(row.config);
    // Neither has a network of its own.
    if (config.task === 'labelling' || config.task === 'evaluation') return [];
    const dataset = datasets.find(({ name }) => name === config.dataset);
    const isClear = dataset !== undefined && dataset.problems.length === 0 && dataset.classNames.length > 0;
    return {
      checkpointId: row.id,
      runId: row.run_id,
      sourceSha256: row.sha256,
      sizeBytes: Number(row.size_bytes),
      facts: {
        network: config.network,
        classNames: isClear ? dataset.classNames : null,
        inputSize: config.inputSize,
        preprocessing: OWN_PREPROCESSING,
      },
      names: { study: row.study, variant: row.variant, seed: row.seed, epoch: row.epoch },
    };
  });
}
