/** What an evaluation measures, as the hub knows it. */
import type { NetworkName } from '@mealtable/protocol/networks';
import { KNOWN_WEIGHTS, PUBLISHED_CLASS_COUNT } from '@mealtable/protocol/published-weights';
import type { EvaluationSource } from '@mealtable/protocol/run-config';
import { loadCheckpoints } from '../checkpoints/checkpoint-rows.ts';
import { loadClassCounts } from '../hosts/datasets.ts';
import type { Queryable } from '../runs/summary.ts';
import { describeTeacher } from '../studies/teachers.ts';

export interface Subject {
  /** Short enough for a table's row. */
  label: string;
  network: NetworkName;
  /** Null when no host has the run's dataset any more. */
  classCount: number | null;
}

/** @returns a sentence instead when there is nothing to evaluate */
export async function findSubject(db: Queryable, source: EvaluationSource): Promise<Subject | string> {
  if (source.kind === 'pretrained') {
    const { network } = KNOWN_WEIGHTS.get(source.weights)!;
    return { label: source.weights, network, classCount: PUBLISHED_CLASS_COUNT };
  }
  const { rows } = await db.query<{
    network: NetworkName;
    dataset: string;
    variant_key: string;
    position: number;
    seed: number;
    study_name: string;
  }>(
    `SELECT r.network, r.dataset, v.key AS variant_key, v.position, r.seed, s.name AS study_name
     FROM runs r JOIN variants v ON v.id = r.variant_id JOIN studies s ON s.id = r.study_id
     WHERE r.id = $1 AND r.role NOT IN ('evaluation', 'labelling') FOR SHARE OF r`,
    [source.runId],
  );
  const [run] = rows;
  if (!run) return `There is no run ${source.runId} that trains a network.`;
  const checkpoint = (await loadCheckpoints(db, [source.runId])).find(({ id }) => id === source.checkpointId);
  if (!checkpoint) return `The run has no checkpoint ${source.checkpointId} any more. Choose another one.`;
  if (!checkpoint.complete) return 'This checkpoint is still on its way to the hub. Wait until it has arrived.';
  return {
    label: `${describeTeacher(run)}, epoch ${Number(checkpoint.epoch.toFixed(2))}`,
    network: run.network,
    classCount: (await loadClassCounts(db)).get(run.dataset) ?? null,
  };
}
