/**
 * The batches of a hub in its stride: nothing but metrics that their runs had before, going on where the last ones ended. Many of
 * them are one statement, checks, points, marks and progress at once, so a group waits for the database a single time. Whatever is
 * otherwise - another record, a new metric, a gap, a row that somebody holds - is left to the caller.
 */
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import type { MetricsRecord } from '@mealtable/protocol/records';
import { publishProgress } from '../runs/publish.ts';
import type { CoreHub } from '../runs/transaction.ts';
import { toTracks } from './codec/track.ts';
import { CHUNK_COLUMNS, chunkValues } from './rows.ts';
import { knownSeries } from './series-ids.ts';
import type { ParsedRecords } from './store-group.ts';
import { foldTop1 } from './top1-progress.ts';

/** Of one statement: each number of batches has its own plan. */
const MAX_BATCHES = 32;

interface SteadyBatch extends AttemptRef {
  records: MetricsRecord[];
}
interface Prepared {
  batch: SteadyBatch;
  values: unknown[];
}

const isSteady = (batch: ParsedRecords): batch is SteadyBatch =>
  batch.records.length > 0 &&
  batch.records.every((record, i) => record.kind === 'metrics' && record.seq === batch.records[0]!.seq + i);

/** @returns null when a metric is new */
function prepare(hub: CoreHub, batch: SteadyBatch): Prepared | null {
  const named = toTracks(batch.records);
  const series = knownSeries(hub.pool, batch.runId);
  if (!series || !named.every(({ metrics }) => metrics.every((name) => series.has(name)))) return null;
  const tracks = named.map((track) => ({ ...track, metrics: track.metrics.map((name) => series.get(name)!) }));
  const { best, bestEpoch, last } = foldTop1({ best: null, bestEpoch: null, last: null }, batch.records);
  return { batch, values: [...chunkValues({ ...batch, tracks }), best, bestEpoch, last] };
}

const TYPES = ['text', 'int', 'int', 'int', 'int', 'int', 'int', 'int', 'bytea', 'float8', 'float8', 'float8'];

function statementFor(count: number): string {
  const row = (i: number) => `(${TYPES.map((type, column) => `$${i * TYPES.length + column + 1}::${type}`)})`;
  return `
    WITH batch(${CHUNK_COLUMNS}, best, best_epoch, last) AS (VALUES ${Array.from({ length: count }, (_, i) => row(i))}),
    held AS MATERIALIZED (
      SELECT b.* FROM batch b JOIN runs r ON r.id = b.run_id AND r.attempt = b.attempt
      JOIN run_attempts a ON a.run_id = b.run_id AND a.attempt = b.attempt
      WHERE a.ended_at IS NULL AND a.acked_seq = b.first_seq - 1 FOR NO KEY UPDATE OF r, a SKIP LOCKED),
    stored AS (
      INSERT INTO metric_chunks (${CHUNK_COLUMNS}) SELECT ${CHUNK_COLUMNS} FROM held RETURNING run_id),
    marked AS (
      UPDATE run_attempts a SET acked_seq = h.last_seq FROM held h WHERE a.run_id = h.run_id AND a.attempt = h.attempt),
    progressed AS (
      UPDATE runs r SET steps_completed = GREATEST(r.steps_completed, h.last_step),
        best_epoch = CASE WHEN r.best_top1 >= h.best OR h.best IS NULL THEN r.best_epoch ELSE h.best_epoch END,
        best_top1 = GREATEST(r.best_top1, h.best), last_top1 = COALESCE(h.last, r.last_top1)
      FROM held h WHERE r.id = h.run_id)
    SELECT run_id FROM stored`;
}

/**
 * Stores those batches that are steady, all or none of them when the database fails.
 * @param batches at most one of each run
 * @returns the batches that are stored; they are told to the bus, too
 */
export async function storeSteady(
  hub: CoreHub,
  batches: readonly ParsedRecords[],
): Promise<ReadonlySet<ParsedRecords>> {
  const prepared = batches.filter(isSteady).flatMap((batch) => prepare(hub, batch) ?? []);
  const stored = new Set<ParsedRecords>();
  for (let from = 0; from < prepared.length; from += MAX_BATCHES) {
    const some = prepared.slice(from, from + MAX_BATCHES);
    const { rows } = await hub.pool.query<{ run_id: string }>({
      name: `store-${some.length}-steady`,
      text: statementFor(some.length),
      values: some.flatMap(({ values }) => values),
    });
    const runs = new Set(rows.map(({ run_id }) => run_id));
    for (const { batch } of some) {
      if (!runs.has(batch.runId)) continue;
      stored.add(batch);
      hub.bus.emit('run:records', batch);
    }
    publishProgress(hub, runs);
  }
  return stored;
}
