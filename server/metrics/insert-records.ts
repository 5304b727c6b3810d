/** The statements that write metrics, log lines and checkpoint manifests. Arrays keep each kind one round trip. */
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import type { CheckpointRecord, LogRecord, MetricsRecord } from '@mealtable/protocol/records';
import type { Tx } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';

interface OfAttempt<R> extends AttemptRef {
  record: R;
}

/**
 * Postgres has no array of arrays of differing lengths, so each record's arrays travel as one array literal.
 * `to_timestamp` takes seconds. ON CONFLICT makes a second writing of the same record nothing, whatever else goes wrong.
 * @param records of any attempts, each with the numbers of its run's series by name
 */
export async function insertMetrics(
  tx: Tx,
  records: readonly (OfAttempt<MetricsRecord> & { series: ReadonlyMap<string, number> })[],
): Promise<void> {
  if (records.length === 0) return;
  const ids = records.map(
    ({ record, series }) =>
      `{${Object.keys(record.values)
        .map((name) => series.get(name))
        .join(',')}}`,
  );
  const values = records.map(({ record }) => `{${Object.values(record.values).join(',')}}`);
  await tx.query(
    `INSERT INTO metric_records (run_id, attempt, seq, step, epoch, at, series_id, "values")
     SELECT run_id, attempt, seq, step, epoch, to_timestamp(at / 1000), ids::int[], vals::float8[]
     FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::float8[], $6::float8[], $7::text[], $8::text[])
          AS t(run_id, attempt, seq, step, epoch, at, ids, vals)
     ON CONFLICT DO NOTHING`,
    [
      records.map(({ runId }) => runId),
      records.map(({ attempt }) => attempt),
      records.map(({ record }) => record.seq),
      records.map(({ record }) => record.step),
      records.map(({ record }) => record.epoch),
      records.map(({ record }) => record.at),
      ids,
      values,
    ],
  );
}

export async function insertLogs(tx: Tx, records: readonly OfAttempt<LogRecord>[]): Promise<void> {
  if (records.length === 0) return;
  await tx.query(
    `INSERT INTO log_lines (run_id, attempt, seq, at, level, line)
     SELECT run_id, attempt, seq, to_timestamp(at / 1000), level::log_level, line
     FROM unnest($1::text[], $2::int[], $3::int[], $4::float8[], $5::text[], $6::text[])
          AS t(run_id, attempt, seq, at, level, line)
     ON CONFLICT DO NOTHING`,
    [
      records.map(({ runId }) => runId),
      records.map(({ attempt }) => attempt),
      records.map(({ record }) => record.seq),
      records.map(({ record }) => record.at),
      records.map(({ record }) => record.level),
      records.map(({ record }) => withoutNul(record.line)),
    ],
  );
}

/** @returns false when the id belongs to another run's checkpoint: ids are made by trainers, and one must not reuse them */
export async function insertCheckpoint(
  tx: Tx,
  runId: string,
  attempt: number,
  record: CheckpointRecord,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO checkpoints (id, run_id, attempt, steps_completed, epoch, top1, is_best, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::float8 / 1000)) ON CONFLICT (id) DO NOTHING`,
    [record.checkpointId, runId, attempt, record.stepsCompleted, record.epoch, record.top1, record.isBest, record.at],
  );
  if (rowCount === 0) {
    const { rows } = await tx.query('SELECT 1 FROM checkpoints WHERE id = $1 AND run_id = $2', [
      record.checkpointId,
      runId,
    ]);
    return rows.length > 0;
  }
  await tx.query(
    `INSERT INTO checkpoint_files (checkpoint_id, name, sha256, size_bytes)
     SELECT $1, f.name, f.sha256, f.size FROM unnest($2::text[], $3::text[], $4::int8[]) AS f(name, sha256, size)`,
    [
      record.checkpointId,
      record.files.map((f) => f.name),
      record.files.map((f) => f.sha256),
      record.files.map((f) => f.sizeBytes),
    ],
  );
  return true;
}
