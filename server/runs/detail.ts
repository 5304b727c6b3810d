/** RunDetailView: everything the page of one run shows besides its curves and its log. */
import { AppError } from '@mealtable/protocol/errors';
import { RunConfig } from '@mealtable/protocol/run-config';
import type { AttemptOutcome, FailureCode } from '@mealtable/protocol/statuses';
import { FAILURE_LOG_LINES } from '@mealtable/protocol/tunables';
import type { AttemptView, CheckpointView, RunDetailView } from '@mealtable/protocol/views';
import { holdsLabels, loadCheckpoints, pickBest, pickLatest } from '../checkpoints/checkpoint-rows.ts';
import { lastLogLines, loadSeries } from '../metrics/read.ts';
import { loadFinalTest } from './final-test.ts';
import { loadRunSummary, type Queryable, toMillis } from './summary.ts';

/** @throws {AppError} not_found */
export async function loadRunDetail(db: Queryable, runId: string): Promise<RunDetailView> {
  const summary = await loadRunSummary(db, runId);
  const { rows } = await db.query<{ config: unknown; parameter_count: number | null; steps_per_epoch: number | null }>(
    'SELECT config, parameter_count, steps_per_epoch FROM runs WHERE id = $1',
    [runId],
  );
  const run = rows[0];
  if (!summary || !run) throw new AppError('not_found', `There is no run ${runId}.`);
  return {
    ...summary,
    config: RunConfig.parse(run.config),
    attempts: await loadAttempts(db, runId),
    checkpoints: await loadCheckpointViews(db, runId),
    parameterCount: run.parameter_count,
    stepsPerEpoch: run.steps_per_epoch,
    metrics: [...(await loadSeries(db, runId)).values()],
    // A run that was given more epochs has the test of its earlier end still.
    finalTest: summary.status === 'succeeded' ? await loadFinalTest(db, runId) : null,
  };
}

interface AttemptRow {
  attempt: number;
  host_id: string | null;
  host_name: string | null;
  claimed_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  start_step: number;
  outcome: AttemptOutcome | null;
  failure_code: FailureCode | null;
  message: string | null;
  exit_code: number | null;
  signal: string | null;
  backend: string | null;
  device: string | null;
  acked_seq: number;
}

/** Oldest first. */
async function loadAttempts(db: Queryable, runId: string): Promise<AttemptView[]> {
  const { rows } = await db.query<AttemptRow>(
    `SELECT a.*, h.name AS host_name FROM run_attempts a LEFT JOIN hosts h ON h.id = a.host_id
     WHERE a.run_id = $1 ORDER BY a.attempt`,
    [runId],
  );
  const failed = rows.filter((row) => row.outcome === 'failed' || row.outcome === 'lost').map((row) => row.attempt);
  const lines = await lastLogLines(db, runId, failed, FAILURE_LOG_LINES);
  return rows.map((row) => ({
    attempt: row.attempt,
    hostId: row.host_id,
    hostName: row.host_name,
    claimedAt: row.claimed_at.getTime(),
    startedAt: toMillis(row.started_at),
    endedAt: toMillis(row.ended_at),
    startStep: row.start_step,
    outcome: row.outcome,
    failureCode: row.failure_code,
    message: row.message,
    exitCode: row.exit_code,
    signal: row.signal,
    backend: row.backend,
    device: row.device,
    ackedSeq: row.acked_seq,
    lastLogLines: lines.get(row.attempt) ?? [],
  }));
}

/** Newest first. Best is said of a complete one with a model: it is what can be downloaded. */
async function loadCheckpointViews(db: Queryable, runId: string): Promise<CheckpointView[]> {
  const checkpoints = await loadCheckpoints(db, [runId]);
  const best = pickBest(checkpoints.filter((c) => c.complete && !holdsLabels(c)));
  const latest = pickLatest(checkpoints);
  return checkpoints.reverse().map((c) => ({
    id: c.id,
    runId: c.runId,
    attempt: c.attempt,
    stepsCompleted: c.stepsCompleted,
    epoch: c.epoch,
    top1: c.top1,
    isBest: c === best,
    isLatest: c === latest,
    complete: c.complete,
    createdAt: c.createdAt.getTime(),
    files: c.files.map((file) => ({ ...file, url: `/api/checkpoints/${c.id}/${encodeURIComponent(file.name)}` })),
  }));
}
