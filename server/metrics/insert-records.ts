/** Writes metrics, log lines and checkpoint manifests, each kind in one round trip. */
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import type { CheckpointRecord, LogRecord, MetricsRecord } from '@mealtable/protocol/records';
import type pg from 'pg';
import type { Tx } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';
import { toTracks } from './codec/track.ts';
import { type ChunkToWrite, insertChunks } from './rows.ts';
import { resolveSeries } from './series-ids.ts';

interface OfAttempt<R> extends AttemptRef {
  record: R;
}

/**
 * One chunk for each batch, and series where names are new.
 * @param pool whose series are remembered
 * @param batches by seq, of runs whose rows are locked
 */
export async function insertMetrics(
  pool: pg.Pool,
  tx: Tx,
  batches: readonly (AttemptRef & { records: readonly MetricsRecord[] })[],
): Promise<void> {
  const chunks: ChunkToWrite[] = [];
  for (const { runId, attempt, records } of batches) {
    if (records.length === 0) continue;
    const named = toTracks(records);
    const series = await resolveSeries(pool, tx, runId, [...new Set(named.flatMap(({ metrics }) => metrics))]);
    const tracks = named.map((track) => ({ ...track, metrics: track.metrics.map((name) => series.get(name)!) }));
    chunks.push({ runId, attempt, tracks });
  }
  await insertChunks(tx, chunks);
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
