/** Every evaluation with its result, newest first. */
import { publishedResult } from '@mealtable/protocol/evaluation';
import { KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import { type EvaluationConfig, RunConfig } from '@mealtable/protocol/run-config';
import type { EvaluationView } from '@mealtable/protocol/views';
import { fromWireNumber } from '@mealtable/protocol/wire-number';
import { loadSummaries } from '../metrics/chart/summaries.ts';
import { loadRunSummaries, type Queryable } from '../runs/summary.ts';

interface ResultRow {
  id: string;
  study_id: string;
  config: unknown;
  /** Of an evaluated checkpoint. */
  run_size: number | null;
  checkpoint_top1: number | null;
}

const LIST = `
  SELECT r.id, r.study_id, r.config, (own.config->>'inputSize')::int AS run_size, c.top1 AS checkpoint_top1
  FROM runs r
  LEFT JOIN runs own ON own.id = r.config#>>'{source,runId}'
  LEFT JOIN checkpoints c ON c.id = r.config#>>'{source,checkpointId}'
  WHERE r.role = 'evaluation' ORDER BY r.created_at DESC, r.id DESC`;

export async function listEvaluations(db: Queryable): Promise<EvaluationView[]> {
  const { rows } = await db.query<ResultRow>(LIST);
  if (rows.length === 0) return [];
  const runs = await loadRunSummaries(db, { runIds: rows.map(({ id }) => id) });
  const byId = new Map(runs.map((run) => [run.id, run]));
  // The one point at the end of an evaluation has them all.
  const metrics = await loadSummaries(db, [...byId.keys()], ['val/top5', 'val/loss']);
  return rows.flatMap((row) => {
    const run = byId.get(row.id);
    // Removed between the two questions.
    if (!run) return [];
    const { source, dataset } = RunConfig.parse(row.config) as EvaluationConfig;
    const isDone = run.status === 'succeeded';
    const lastOf = (name: string) => {
      const metric = metrics[run.id]?.find((each) => each.name === name);
      return isDone && metric ? fromWireNumber(metric.last) : null;
    };
    return {
      run,
      source,
      dataset,
      top1: isDone ? run.lastTop1 : null,
      top5: lastOf('val/top5'),
      loss: lastOf('val/loss'),
      expected: expectedOf(source, row),
    };
  });
}

function expectedOf(source: EvaluationConfig['source'], row: ResultRow): EvaluationView['expected'] {
  if (source.kind === 'pretrained') {
    const known = KNOWN_WEIGHTS.get(source.weights);
    return known ? publishedResult(known) : null;
  }
  const { checkpoint_top1: top1, run_size: inputSize } = row;
  return top1 === null || inputSize === null ? null : { top1, top5: null, inputSize };
}
