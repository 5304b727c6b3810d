/** What must be in the database after all that: computed from what the trainers wrote, and compared row by row. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRecord } from '@mealtable/protocol/records';
import { readPoints } from '../../server/metrics/read-points.ts';
import type { Queryable } from '../../server/runs/summary.ts';
import { readRecords } from '../../trainer/train/record-reader.ts';
import { type ChaosPlan, contentOf, lossOf, sha256Of, top1Of } from './script.ts';

type Query = <T>(sql: string, values?: unknown[]) => Promise<T[]>;

interface RunRow {
  id: string;
  seed: number;
  status: string;
  failure_code: string | null;
  lease_expires_at: Date | null;
  cancel_requested_at: Date | null;
  steps_completed: number;
  best_top1: number | null;
}
interface AttemptRow {
  attempt: number;
  start_step: number;
  acked_seq: number;
  outcome: string | null;
}
type Point = { attempt: number; seq: number; step: number; loss: number };

/** @returns a sentence for everything that is not as it must be */
export async function findFaults(query: Query, plan: ChaosPlan): Promise<string[]> {
  const runs = await query<RunRow>(
    `SELECT id, seed, status, failure_code, lease_expires_at, cancel_requested_at, steps_completed, best_top1
     FROM runs ORDER BY seed`,
  );
  const problems: string[] = [];
  for (const run of runs) {
    const say = (sentence: string) => problems.push(`Seed ${run.seed}, ${run.id}: ${sentence}`);
    checkState(run, plan, say);
    const attempts = await query<AttemptRow>(
      'SELECT attempt, start_step, acked_seq, outcome FROM run_attempts WHERE run_id = $1 ORDER BY attempt',
      [run.id],
    );
    const written = new Map(attempts.map(({ attempt }) => [attempt, readKept(plan, run.id, attempt)]));
    checkAttempts(attempts, written, say);
    await checkPoints(query, run, attempts, written, plan, say);
    await checkLines(query, run.id, written, say);
    await checkCheckpoints(query, run.id, say);
  }
  return problems;
}

type Say = (sentence: string) => void;

function checkState(run: RunRow, plan: ChaosPlan, say: Say): void {
  const expected = run.seed === plan.divergingSeed ? 'failed' : run.cancel_requested_at ? 'cancelled' : 'succeeded';
  // A cancel that comes after the last step finds a run that has succeeded.
  if (run.status !== expected && !(expected === 'cancelled' && run.status === 'succeeded'))
    say(`it is ${run.status} (${run.failure_code}) instead of ${expected}.`);
  if (run.lease_expires_at !== null) say('it still has a lease.');
  if (run.status !== 'succeeded') return;
  if (run.steps_completed !== plan.steps) say(`${run.steps_completed} of ${plan.steps} steps are done.`);
  if (run.best_top1 !== top1Of(plan.steps)) say(`its best top-1 is ${run.best_top1}.`);
}

/** Null for an attempt whose trainer was never started. */
function readKept(plan: ChaosPlan, runId: string, attempt: number): AttemptRecord[] | null {
  const path = join(plan.keptDir, `${runId}.${attempt}`);
  return existsSync(path) ? readRecords(path, 0, 100_000_000).records : null;
}

function checkAttempts(attempts: AttemptRow[], written: Map<number, AttemptRecord[] | null>, say: Say): void {
  for (const { attempt, acked_seq, outcome } of attempts) {
    const records = written.get(attempt);
    if (outcome === null) say(`attempt ${attempt} has no end.`);
    if (records && records.at(-1)?.seq !== acked_seq)
      say(`attempt ${attempt} wrote ${records.at(-1)?.seq} records, of which ${acked_seq} are stored.`);
    const ended = records?.at(-1);
    if (ended?.kind === 'ended' && outcome !== ended.outcome && outcome !== 'lost')
      say(`attempt ${attempt} ended as ${ended.outcome} and is stored as ${outcome}.`);
  }
}

/** A point belongs to the run unless a later attempt went on from a step before it. */
function belongingPoints(attempts: AttemptRow[], written: Map<number, AttemptRecord[] | null>): Point[] {
  return attempts.flatMap(({ attempt }) => {
    const limit = Math.min(...attempts.filter((later) => later.attempt > attempt).map((later) => later.start_step));
    return (written.get(attempt) ?? []).flatMap((record) =>
      record.kind === 'metrics' && record.step <= limit
        ? [{ attempt, seq: record.seq, step: record.step, loss: Number(record.values['train/loss']) }]
        : [],
    );
  });
}

async function checkPoints(
  query: Query,
  run: RunRow,
  attempts: AttemptRow[],
  written: Map<number, AttemptRecord[] | null>,
  plan: ChaosPlan,
  say: Say,
): Promise<void> {
  const stored = await readLosses(query, run.id);
  compare('points', belongingPoints(attempts, written), stored, say);
  for (const { attempt, step, loss } of stored)
    if (loss !== lossOf(run.id, attempt, step)) say(`the loss of attempt ${attempt} at step ${step} is ${loss}.`);
  const steps = stored.map((point) => point.step);
  if (steps.some((step, i) => step !== i + 1)) say(`its curve is not one line of steps: ${steps.join(' ')}`);
  if (run.status === 'succeeded' && steps.length !== plan.steps) say(`its curve has ${steps.length} steps.`);
}

async function readLosses(query: Query, runId: string): Promise<Point[]> {
  const db = { query: async (sql: string, values: unknown[]) => ({ rows: await query(sql, values) }) };
  const parts = await readPoints(db as unknown as Queryable, [runId], ['train/loss']);
  return parts
    .flatMap(({ attempt, rows, values }) =>
      [...values].map((loss, i) => ({ attempt, seq: rows.seq[i]!, step: rows.step[i]!, loss })),
    )
    .sort((a, b) => a.attempt - b.attempt || a.seq - b.seq);
}

async function checkLines(
  query: Query,
  runId: string,
  written: Map<number, AttemptRecord[] | null>,
  say: Say,
): Promise<void> {
  const lines = [...written].flatMap(([attempt, records]) =>
    (records ?? []).flatMap((r) => (r.kind === 'log' ? [{ attempt, seq: r.seq, line: r.line }] : [])),
  );
  const stored = await query<{ attempt: number; seq: number; line: string }>(
    'SELECT attempt, seq, line FROM log_lines WHERE run_id = $1 ORDER BY attempt, seq',
    [runId],
  );
  // Of an attempt whose trainer never started there are at most its agent's own words.
  compare(
    'log lines',
    lines,
    stored.filter(({ attempt }) => written.get(attempt)),
    say,
  );
}

function compare<T extends object>(what: string, expected: T[], stored: T[], say: Say): void {
  const keys = (rows: T[]) => rows.map((row) => JSON.stringify(row));
  const [wanted, found] = [new Set(keys(expected)), new Set(keys(stored))];
  const lost = [...wanted].filter((key) => !found.has(key));
  const foreign = [...found].filter((key) => !wanted.has(key));
  if (lost.length > 0) say(`${lost.length} ${what} are lost, the first is ${lost[0]}.`);
  if (foreign.length > 0) say(`${foreign.length} ${what} do not belong to it, the first is ${foreign[0]}.`);
  if (stored.length !== found.size) say(`some ${what} are stored twice.`);
}

async function checkCheckpoints(query: Query, runId: string, say: Say): Promise<void> {
  const files = await query<{ step: number; name: string; sha256: string }>(
    `SELECT c.steps_completed AS step, f.name, f.sha256
     FROM checkpoints c JOIN checkpoint_files f ON f.checkpoint_id = c.id WHERE c.run_id = $1`,
    [runId],
  );
  for (const { step, name, sha256 } of files)
    if (sha256 !== sha256Of(contentOf(runId, step, name))) say(`${name} of step ${step} is another run's.`);
}
