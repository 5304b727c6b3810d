/** Creating an evaluation: one more run of the study that holds all of them. */
import { AppError } from '@mealtable/protocol/errors';
import { type NewEvaluation, usualPreprocessing } from '@mealtable/protocol/evaluation';
import { findClassProblem } from '@mealtable/protocol/imagenet-classes';
import { NETWORKS } from '@mealtable/protocol/networks';
import { type EvaluationConfig, RunConfig } from '@mealtable/protocol/run-config';
import type { FieldProblem } from '@mealtable/protocol/study-design';
import { MAX_ATTEMPTS } from '@mealtable/protocol/tunables';
import type { Hub } from '../context.ts';
import { loadDatasetOptions } from '../hosts/datasets.ts';
import { type Tx, transact } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';
import { findSubject, type Subject } from './subject.ts';

const STUDY_NAME = 'Evaluations';
/** Any number that no other advisory lock of the hub uses. */
const STUDY_LOCK = 7_203_114;

/**
 * Measuring the same again is another run beside the first.
 * @returns the run's id @throws {AppError} invalid, with every problem
 */
export async function createEvaluation(
  hub: Pick<Hub, 'pool' | 'bus' | 'ids'>,
  wanted: NewEvaluation,
  createdById: string | null,
): Promise<string> {
  return transact(hub, async (tx) => {
    const subject = await findSubject(tx, wanted.source);
    if (typeof subject === 'string') throw refuse([{ path: 'source', message: subject }]);
    const problems = await findProblems(tx, wanted, subject);
    if (problems.length > 0) throw refuse(problems);
    const { source, dataset, inputSize, batchSize } = wanted;
    const preprocessing = wanted.preprocessing ?? usualPreprocessing(source);
    const config = RunConfig.parse({
      version: 1,
      task: 'evaluation',
      network: subject.network,
      source,
      dataset,
      inputSize,
      batchSize,
      preprocessing,
    } satisfies EvaluationConfig) as EvaluationConfig;
    const studyId = await findStudy(tx, hub.ids, createdById);
    const variantId = await findVariant(tx, hub.ids, studyId, subject.label, config);
    const runId = hub.ids('run');
    // The seed decides nothing here: it counts how often the same was measured.
    await tx.query(
      `INSERT INTO runs (id, study_id, variant_id, role, seed, config, dataset, network, max_attempts)
       SELECT $1, $2, $3, 'evaluation', COALESCE(max(seed) + 1, 0), $4, $5, $6, $7 FROM runs WHERE variant_id = $3`,
      [runId, studyId, variantId, JSON.stringify(config), dataset, subject.network, MAX_ATTEMPTS],
    );
    tx.runChanged(runId);
    tx.emit('study:changed', { studyId });
    tx.nudge(null);
    return runId;
  });
}

function refuse(problems: FieldProblem[]): AppError {
  return new AppError('invalid', problems[0]!.message, problems);
}

async function findProblems(tx: Tx, wanted: NewEvaluation, { label, network, classCount }: Subject) {
  const { source } = wanted;
  const problems: FieldProblem[] = [];
  const dataset = (await loadDatasetOptions(tx)).find(({ name }) => name === wanted.dataset);
  if (dataset === undefined)
    problems.push({
      path: 'dataset',
      message: `No host has a dataset named "${wanted.dataset}". Attach one, or choose another dataset.`,
    });
  for (const message of dataset?.problems ?? []) problems.push({ path: 'dataset', message });
  const given = dataset?.problems.length === 0 ? dataset.classNames : null;
  const found = given !== null && source.kind === 'pretrained' ? findClassProblem(given) : null;
  const faults = [
    ...(given !== null && classCount !== null && given.length !== classCount
      ? [
          `${label} knows ${classCount} classes, but ${wanted.dataset} has ${given.length}. Evaluate on a dataset of the same classes.`,
        ]
      : []),
    ...(found?.certain ? [found.message] : []),
  ];
  if (faults.length > 0) problems.push({ path: 'dataset', message: faults.join(' ') });
  const { minInputSize } = NETWORKS[network];
  if (wanted.inputSize < minInputSize)
    problems.push({
      path: 'inputSize',
      message: `${network} needs an input of at least ${minInputSize} pixels; got ${wanted.inputSize}.`,
    });
  return problems;
}

/** The study of all evaluations, made with the first; the lock lets one at a time add to it. */
async function findStudy(tx: Tx, ids: Hub['ids'], createdById: string | null): Promise<string> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [STUDY_LOCK]);
  const { rows } = await tx.query<{ id: string }>(
    `SELECT id FROM studies WHERE kind = 'evaluation' ORDER BY created_at LIMIT 1`,
  );
  if (rows[0]) return rows[0].id;
  const id = ids('study');
  await tx.query(
    `INSERT INTO studies (id, kind, name, design, created_by_id) VALUES ($1, 'evaluation', $2, '{}', $3)`,
    [id, STUDY_NAME, createdById],
  );
  return id;
}

async function findVariant(
  tx: Tx,
  ids: Hub['ids'],
  studyId: string,
  label: string,
  { source, dataset, network, inputSize, preprocessing }: EvaluationConfig,
): Promise<string> {
  const key = JSON.stringify([source, dataset, inputSize, preprocessing]);
  const { rows } = await tx.query<{ id: string }>(
    `INSERT INTO variants (id, study_id, key, position, role, label, network, input_size)
     SELECT $1, $2, $3, COALESCE(max(position) + 1, 0), 'evaluation', $4, $5, $6 FROM variants WHERE study_id = $2
     ON CONFLICT (study_id, key) DO UPDATE SET label = excluded.label RETURNING id`,
    [ids('variant'), studyId, key, withoutNul(`${label} · ${dataset} · ${inputSize} px`), network, inputSize],
  );
  return rows[0]!.id;
}
