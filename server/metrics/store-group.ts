/**
 * Batches of many attempts in one transaction: a hub with hundreds of running runs gets more batches a second than a database commits
 * transactions. Only what is plain is stored here: metrics and log lines that go on where their attempt's last ones ended. All else
 * is left to the caller, as are runs whose rows somebody else has locked: nobody here waits for a lock.
 */
import type { AttemptRef, RecordBatchReply } from '@mealtable/protocol/agent-messages';
import type { AttemptRecord, LogRecord, MetricsRecord } from '@mealtable/protocol/records';
import { type CoreHub, type Tx, transact } from '../runs/transaction.ts';
import { insertLogs, insertMetrics } from './insert-records.ts';
import { storeSteady } from './store-steady.ts';
import { foldTop1, type Top1Progress } from './top1-progress.ts';

export interface ParsedRecords extends AttemptRef {
  /** By seq, each seq once. */
  records: AttemptRecord[];
}
type Plain = MetricsRecord | LogRecord;
interface PlainBatch extends AttemptRef {
  records: Plain[];
}

const isPlain = (record: AttemptRecord): record is Plain => record.kind === 'metrics' || record.kind === 'log';
export const isPlainBatch = (batch: ParsedRecords): batch is PlainBatch => batch.records.every(isPlain);
const keyOf = ({ runId, attempt }: AttemptRef) => `${runId} ${attempt}`;

/**
 * What is steady is stored, and then all or nothing of what else is plain.
 * @param batches at most one of each run
 * @returns for each batch the answer, or null when it is to be stored by itself
 */
export async function storeGroup(
  hub: CoreHub,
  batches: readonly ParsedRecords[],
): Promise<(Extract<RecordBatchReply, { ok: true }> | null)[]> {
  const steady = await storeSteady(hub, batches);
  const plain = batches.filter((batch) => !steady.has(batch)).filter(isPlainBatch);
  const stored =
    plain.length === 0
      ? new Set<AttemptRef>()
      : await transact(hub, async (tx) => {
          const states = await lockCurrent(tx, plain);
          const next = plain.filter((batch) => goesOn(batch, states.get(keyOf(batch))));
          await insertPoints(hub, tx, next);
          await moveMarks(tx, next, states);
          for (const { runId, attempt, records } of next) {
            tx.emit('run:records', { runId, attempt, records });
            tx.runProgressed(runId);
          }
          return new Set<AttemptRef>(next);
        });
  return batches.map((batch) =>
    steady.has(batch) || stored.has(batch) ? { ok: true, ackedSeq: batch.records.at(-1)!.seq, fenced: false } : null,
  );
}

interface CurrentAttempt {
  ackedSeq: number;
  top1: Top1Progress;
}

/** Attempts that own their runs, have not ended, and are not locked by somebody else. */
async function lockCurrent(tx: Tx, refs: readonly AttemptRef[]): Promise<Map<string, CurrentAttempt>> {
  const { rows } = await tx.query<{
    run_id: string;
    attempt: number;
    acked_seq: number;
    best_top1: number | null;
    best_epoch: number | null;
    last_top1: number | null;
  }>(
    `SELECT a.run_id, a.attempt, a.acked_seq, r.best_top1, r.best_epoch, r.last_top1
     FROM unnest($1::text[], $2::int[]) AS l(run_id, attempt)
     JOIN runs r ON r.id = l.run_id AND r.attempt = l.attempt
     JOIN run_attempts a ON a.run_id = l.run_id AND a.attempt = l.attempt AND a.ended_at IS NULL
     FOR NO KEY UPDATE OF r, a SKIP LOCKED`,
    [refs.map(({ runId }) => runId), refs.map(({ attempt }) => attempt)],
  );
  return new Map(
    rows.map((row) => [
      keyOf({ runId: row.run_id, attempt: row.attempt }),
      {
        ackedSeq: row.acked_seq,
        top1: { best: row.best_top1, bestEpoch: row.best_epoch, last: row.last_top1 },
      },
    ]),
  );
}

const goesOn = ({ records }: PlainBatch, state: CurrentAttempt | undefined): boolean =>
  state !== undefined && records.every(({ seq }, i) => seq === state.ackedSeq + 1 + i);

const isMetrics = (record: Plain): record is MetricsRecord => record.kind === 'metrics';
const isLog = (record: Plain): record is LogRecord => record.kind === 'log';

async function insertPoints(hub: CoreHub, tx: Tx, batches: readonly PlainBatch[]): Promise<void> {
  const metrics = batches.map((batch) => ({ ...batch, records: batch.records.filter(isMetrics) }));
  await insertMetrics(hub.pool, tx, metrics);
  const logs = batches.flatMap(({ runId, attempt, records }) =>
    records.filter(isLog).map((record) => ({ runId, attempt, record })),
  );
  await insertLogs(tx, logs);
}

/** Marks and progress of all runs, in one statement each. */
async function moveMarks(
  tx: Tx,
  batches: readonly PlainBatch[],
  states: ReadonlyMap<string, CurrentAttempt>,
): Promise<void> {
  if (batches.length === 0) return;
  await tx.query(
    `UPDATE run_attempts a SET acked_seq = l.seq FROM unnest($1::text[], $2::int[], $3::int[]) AS l(run_id, attempt, seq)
     WHERE a.run_id = l.run_id AND a.attempt = l.attempt`,
    [
      batches.map(({ runId }) => runId),
      batches.map(({ attempt }) => attempt),
      batches.map(({ records }) => records.at(-1)!.seq),
    ],
  );
  const progress = batches.flatMap(({ runId, attempt, records }) => {
    const metrics = records.filter((r) => r.kind === 'metrics');
    if (metrics.length === 0) return [];
    const { top1 } = states.get(keyOf({ runId, attempt }))!;
    return [{ runId, step: Math.max(...metrics.map((r) => r.step)), ...foldTop1(top1, metrics) }];
  });
  if (progress.length === 0) return;
  await tx.query(
    `UPDATE runs r SET steps_completed = GREATEST(r.steps_completed, p.step), best_top1 = p.best, best_epoch = p.best_epoch, last_top1 = p.last
     FROM unnest($1::text[], $2::int[], $3::float8[], $4::float8[], $5::float8[]) AS p(run_id, step, best, best_epoch, last)
     WHERE r.id = p.run_id`,
    [
      progress.map(({ runId }) => runId),
      progress.map(({ step }) => step),
      progress.map(({ best }) => best),
      progress.map(({ bestEpoch }) => bestEpoch),
      progress.map(({ last }) => last),
    ],
  );
}
