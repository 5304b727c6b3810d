/** From a claim to a Grant: everything the agent needs, resolved to files by hash. */
import type { Grant, GrantInput } from '@mealtable/protocol/agent-messages';
import { CHECKPOINT_FILES, type CheckpointFile } from '@mealtable/protocol/records';
import { type EvaluationSource, RunConfig, startingRun, teachersOf } from '@mealtable/protocol/run-config';
import {
  type BestModel,
  holdsLabels,
  loadBestModels,
  loadCheckpoints,
  pickBest,
  pickLatest,
} from '../checkpoints/checkpoint-rows.ts';
import { loadClassCounts } from '../hosts/datasets.ts';
import type { ClaimedRun } from './claim.ts';
import type { Queryable } from './summary.ts';

export type GrantResult = { ok: true; grant: Grant } | { ok: false; message: string };

/** Teachers that are runs. Published weights are had by the host itself. */
const teacherRuns = (config: RunConfig): string[] =>
  teachersOf(config).flatMap((teacher) => (teacher.kind === 'run' ? [teacher.runId] : []));

/** Runs that have labelled for this one. */
const labellingRuns = (config: RunConfig): readonly string[] =>
  config.task === 'distillation' && config.softLabels?.mode === 'cached' ? (config.softLabels.labelledBy ?? []) : [];

/** Runs whose best weights this one starts from: its teachers and its start. An evaluation names one checkpoint instead. */
export function referencedRuns(config: RunConfig): string[] {
  const start = config.task === 'evaluation' ? null : startingRun(config);
  return start === null ? teacherRuns(config) : [...teacherRuns(config), start];
}

/**
 * @param hostDatasets class counts of the claiming host's datasets, by name: another host may have other classes under the
 * same name, and what it has must not be held against this one
 * @returns the grant, or one sentence saying whose weights could not be had
 */
export async function buildGrant(
  db: Queryable,
  claim: ClaimedRun,
  hostDatasets: ReadonlyMap<string, number>,
): Promise<GrantResult> {
  const { rows } = await db.query<{ config: unknown; label: string }>(
    `SELECT r.config, s.name || ': ' || v.label || ', seed ' || r.seed AS label
     FROM runs r JOIN studies s ON s.id = r.study_id JOIN variants v ON v.id = r.variant_id WHERE r.id = $1`,
    [claim.runId],
  );
  const row = rows[0];
  if (!row) return { ok: false, message: 'The run was removed.' };
  const config = RunConfig.parse(row.config);
  const inputs = await loadInputs(db, referencedRuns(config), hostDatasets);
  const missing = referencedRuns(config).find((runId) => !inputs.has(runId));
  if (missing !== undefined)
    return {
      ok: false,
      message: `The weights of ${missing} cannot be had: the run, its best checkpoint or its dataset is gone.`,
    };
  const inputOf = (runId: string) => inputs.get(runId) as GrantInput;
  let start: GrantInput | null = null;
  if (config.task === 'evaluation' && config.source.kind === 'run') {
    start = await loadCheckpointInput(db, config.source, hostDatasets);
    if (start === null) return { ok: false, message: explainNoCheckpoint(config.source) };
  } else if (config.task !== 'evaluation') {
    const runId = startingRun(config);
    start = runId === null ? null : inputOf(runId);
  }
  const labels = await loadLabels(db, labellingRuns(config));
  const unlabelled = labels.find(({ files }) => files.length === 0);
  if (unlabelled) return { ok: false, message: `The labels of ${unlabelled.runId} cannot be had: retry that run.` };
  return {
    ok: true,
    grant: {
      runId: claim.runId,
      attempt: claim.attempt,
      label: row.label,
      config,
      teachers: teacherRuns(config).map(inputOf),
      initialisation: start,
      ...(labels.length > 0 && { labels }),
      ...(await loadResume(db, claim)),
    },
  };
}

async function loadInputs(
  db: Queryable,
  runIds: string[],
  hostDatasets: ReadonlyMap<string, number>,
): Promise<Map<string, GrantInput>> {
  const inputs = new Map<string, GrantInput>();
  if (runIds.length === 0) return inputs;
  const { rows } = await db.query<{ id: string; network: string; dataset: string }>(
    `SELECT id, network, dataset FROM runs WHERE id = ANY($1) AND status = 'succeeded'`,
    [runIds],
  );
  const models: Map<string, BestModel> = await loadBestModels(db, runIds);
  const classCounts = await loadClassCounts(db);
  for (const { id, network, dataset } of rows) {
    const file: CheckpointFile | undefined = models.get(id)?.file;
    const classCount = hostDatasets.get(dataset) ?? classCounts.get(dataset);
    if (file !== undefined && classCount !== undefined) inputs.set(id, { runId: id, network, classCount, file });
  }
  return inputs;
}

/** The files of each run's labels as far as they have arrived, none of a run that is gone. */
async function loadLabels(db: Queryable, runIds: readonly string[]): Promise<NonNullable<Grant['labels']>> {
  if (runIds.length === 0) return [];
  const complete = (await loadCheckpoints(db, runIds)).filter((c) => c.complete && holdsLabels(c));
  return runIds.map((runId) => ({ runId, files: pickLatest(complete.filter((c) => c.runId === runId))?.files ?? [] }));
}

/** The model of one checkpoint, whatever became of its run. */
async function loadCheckpointInput(
  db: Queryable,
  { runId, checkpointId }: Extract<EvaluationSource, { kind: 'run' }>,
  hostDatasets: ReadonlyMap<string, number>,
): Promise<GrantInput | null> {
  const { rows } = await db.query<{ network: string; dataset: string }>(
    'SELECT network, dataset FROM runs WHERE id = $1',
    [runId],
  );
  const checkpoint = (await loadCheckpoints(db, [runId])).find((c) => c.id === checkpointId && c.complete);
  const file = checkpoint?.files.find(({ name }) => name === CHECKPOINT_FILES.model);
  const [run] = rows;
  const classCount = run && (hostDatasets.get(run.dataset) ?? (await loadClassCounts(db)).get(run.dataset));
  return run && file && classCount !== undefined ? { runId, network: run.network, classCount, file } : null;
}

const explainNoCheckpoint = ({ runId, checkpointId }: Extract<EvaluationSource, { kind: 'run' }>): string =>
  `The checkpoint ${checkpointId} of ${runId} cannot be had: it, its run or its dataset is gone. Evaluate another one.`;

async function loadResume(db: Queryable, claim: ClaimedRun): Promise<Pick<Grant, 'resume' | 'best'>> {
  if (claim.resumeCheckpointId === null) return { resume: null };
  const checkpoints = await loadCheckpoints(db, [claim.runId]);
  const checkpoint = checkpoints.find((c) => c.id === claim.resumeCheckpointId);
  if (!checkpoint) throw new Error(`Checkpoint ${claim.resumeCheckpointId} vanished within its own transaction.`);
  const resume = { stepsCompleted: checkpoint.stepsCompleted, files: checkpoint.files };
  const best = pickBest(checkpoints.filter((c) => c.complete));
  const file = best?.files.find(({ name }) => name === CHECKPOINT_FILES.model);
  if (!best || !file || best.id === checkpoint.id) return { resume };
  return { resume, best: { checkpointId: best.id, file } };
}
