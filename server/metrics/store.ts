/**
 * appendRecords: a batch of one attempt's record stream into the database, exactly once and in one transaction.
 * `run_attempts.acked_seq` is the mark: everything up to it is stored, nothing beyond it is.
 */
import type { RecordBatchReply } from '@mealtable/protocol/agent-messages';
import type { LiveRecord } from '@mealtable/protocol/live-messages';
import type { AttemptRecord, CheckpointRecord, EndedRecord, StartedRecord } from '@mealtable/protocol/records';
import type { AttemptOutcome, RunStatus } from '@mealtable/protocol/statuses';
import { finishAttempt, startRun } from '../runs/lifecycle.ts';
import { reviveAttempt } from '../runs/lifecycle-lease.ts';
import { recomputeTop1 } from '../runs/rewind.ts';
import { type CoreHub, type Tx, transact } from '../runs/transaction.ts';
import { commitInGroup } from './group-commit.ts';
import { insertCheckpoint, insertLogs, insertMetrics } from './insert-records.ts';
import { parseBatch } from './parse-batch.ts';
import type { ParsedRecords } from './store-group.ts';
import { foldTop1 } from './top1-progress.ts';

interface AttemptState {
  status: RunStatus;
  current_attempt: number;
  best_top1: number | null;
  best_epoch: number | null;
  last_top1: number | null;
  acked_seq: number;
  ended_at: Date | null;
  outcome: AttemptOutcome | null;
}

/** Undoes the transaction and answers; not a fault of the hub. */
class Refusal extends Error {
  readonly reply: RecordBatchReply;
  constructor(reply: RecordBatchReply) {
    super('refused');
    this.reply = reply;
  }
}

/**
 * Stores what is new of a batch. Records at or below the mark were stored before and are passed over; a gap is answered
 * with the seq to send from; one bad record refuses the whole batch, with its path.
 *
 * A stale attempt (another one owns the run, or it has ended) loses nothing that belongs to the run: its points up to
 * the step that the next attempt went on from, and all of its log lines, are stored. Its checkpoints and its own fate
 * count no more, and the answer says `fenced`. A lost attempt whose run nobody else has claimed comes back to life.
 */
export async function appendRecords(
  hub: CoreHub,
  runId: string,
  attempt: number,
  raw: readonly unknown[],
): Promise<RecordBatchReply> {
  const batch = parseBatch(raw);
  if (!batch.ok) return batch;
  return commitInGroup(hub, { runId, attempt, records: batch.records }, (parsed) => appendAlone(hub, parsed));
}

/** In a transaction of its own. Never throws. */
async function appendAlone(hub: CoreHub, { runId, attempt, records }: ParsedRecords): Promise<RecordBatchReply> {
  try {
    return await transact(hub, (tx) => appendParsed(hub, tx, runId, attempt, records));
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    // The agent keeps its records and tries again, so nothing is lost while the database is away; a fault in the hub
    // itself must be seen by its operator.
    const message = error instanceof Error ? error.message : String(error);
    console.error(`Records of ${runId} attempt ${attempt} could not be stored: ${message}`);
    return { ok: false, code: 'unavailable', message: 'The hub could not write to its database just now.' };
  }
}

async function appendParsed(
  hub: CoreHub,
  tx: Tx,
  runId: string,
  attempt: number,
  records: AttemptRecord[],
): Promise<RecordBatchReply> {
  const state = await lockAttempt(tx, runId, attempt);
  const lastSeq = records.at(-1)?.seq ?? 0;
  // The run was removed with all that it had: there is nothing to keep the records for.
  if (!state) return { ok: true, ackedSeq: lastSeq, fenced: true };

  let stale = attempt < state.current_attempt || state.ended_at !== null;
  if (state.outcome === 'lost' && (await reviveAttempt(tx, null, { runId, attempt }))) stale = false;
  const fresh = records.filter((r) => r.seq > state.acked_seq);
  if (fresh.length === 0) {
    const fenced = attempt < state.current_attempt || (stale && state.outcome === 'lost');
    return { ok: true, ackedSeq: state.acked_seq, fenced };
  }
  if (fresh.some((r, i) => r.seq !== state.acked_seq + 1 + i))
    return { ok: false, code: 'resend_from', seq: state.acked_seq + 1 };

  const stored = stale
    ? await storeStale(hub, tx, runId, attempt, fresh)
    : await storeCurrent(hub, tx, runId, attempt, fresh, state);
  await tx.query('UPDATE run_attempts SET acked_seq = $3 WHERE run_id = $1 AND attempt = $2', [
    runId,
    attempt,
    lastSeq,
  ]);
  if (stored.length > 0) tx.emit('run:records', { runId, attempt, records: stored });
  tx.runChanged(runId);
  return { ok: true, ackedSeq: lastSeq, fenced: stale };
}

/** Locks run and attempt, so that batches, claims and endings of one run happen one after the other. */
async function lockAttempt(tx: Tx, runId: string, attempt: number): Promise<AttemptState | undefined> {
  const { rows } = await tx.query<AttemptState>(
    `SELECT r.status, r.attempt AS current_attempt, r.best_top1, r.best_epoch, r.last_top1,
            a.acked_seq, a.ended_at, a.outcome
     FROM runs r JOIN run_attempts a ON a.run_id = r.id
     WHERE r.id = $1 AND a.attempt = $2 FOR NO KEY UPDATE OF r, a`,
    [runId, attempt],
  );
  return rows[0];
}

const ofKind = <K extends AttemptRecord['kind']>(records: readonly AttemptRecord[], kind: K) =>
  records.filter((r): r is Extract<AttemptRecord, { kind: K }> => r.kind === kind);

async function insertPoints(hub: CoreHub, tx: Tx, runId: string, attempt: number, records: readonly AttemptRecord[]) {
  await insertMetrics(hub.pool, tx, [{ runId, attempt, records: ofKind(records, 'metrics') }]);
  await insertLogs(
    tx,
    ofKind(records, 'log').map((record) => ({ runId, attempt, record })),
  );
}

async function storeCurrent(
  hub: CoreHub,
  tx: Tx,
  runId: string,
  attempt: number,
  records: AttemptRecord[],
  state: AttemptState,
): Promise<LiveRecord[]> {
  const started: StartedRecord | undefined = ofKind(records, 'started')[0];
  if (started) await startRun(tx, runId, attempt, started);
  await insertPoints(hub, tx, runId, attempt, records);
  for (const checkpoint of ofKind(records, 'checkpoint')) await storeCheckpoint(tx, runId, attempt, checkpoint);
  const metrics = ofKind(records, 'metrics');
  if (metrics.length > 0) {
    const before = { best: state.best_top1, bestEpoch: state.best_epoch, last: state.last_top1 };
    const { best, bestEpoch, last } = foldTop1(before, metrics);
    await tx.query(
      `UPDATE runs SET steps_completed = GREATEST(steps_completed, $2), best_top1 = $3, best_epoch = $4, last_top1 = $5
       WHERE id = $1`,
      [runId, Math.max(...metrics.map((r) => r.step)), best, bestEpoch, last],
    );
  }
  const ended: EndedRecord | undefined = ofKind(records, 'ended').at(-1);
  if (ended) await finishAttempt(tx, runId, attempt, ended);
  return records.filter((r): r is LiveRecord => r.kind === 'metrics' || r.kind === 'log' || r.kind === 'checkpoint');
}

async function storeCheckpoint(tx: Tx, runId: string, attempt: number, record: CheckpointRecord): Promise<void> {
  if (await insertCheckpoint(tx, runId, attempt, record)) return;
  const message = `Checkpoint ${record.checkpointId} belongs to another run: give each checkpoint its own id.`;
  throw new Refusal({ ok: false, code: 'bad_record', path: `seq ${record.seq}: checkpointId`, message });
}

async function storeStale(
  hub: CoreHub,
  tx: Tx,
  runId: string,
  attempt: number,
  records: AttemptRecord[],
): Promise<LiveRecord[]> {
  // Asked only now: with the lock held no other attempt can begin.
  const { rows } = await tx.query<{ own_start: number; limit: number | null }>(
    `SELECT a.start_step AS own_start,
            (SELECT min(start_step) FROM run_attempts WHERE run_id = $1 AND attempt > $2) AS limit
     FROM run_attempts a WHERE a.run_id = $1 AND a.attempt = $2`,
    [runId, attempt],
  );
  const { own_start: ownStart, limit } = rows[0] as (typeof rows)[number];
  // An attempt that began where a later one does has nothing that the later one does not do again.
  const isKept = (step: number) => limit === null || (step <= limit && ownStart < limit);
  const kept = records.filter(
    (r): r is Extract<LiveRecord, { kind: 'metrics' | 'log' }> =>
      r.kind === 'log' || (r.kind === 'metrics' && isKept(r.step)),
  );
  await insertPoints(hub, tx, runId, attempt, kept);
  if (kept.some((r) => r.kind === 'metrics')) await recomputeTop1(tx, runId);
  return kept;
}
