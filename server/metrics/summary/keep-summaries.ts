/**
 * The summaries of a run's series, as tables show them. They are written apart from the points, a little later: what they hold is
 * said by a mark per attempt that moves in the same transaction, so a hub that stops in between goes on exactly where it was.
 */
import type { Queryable } from '../../runs/summary.ts';
import type { Tx } from '../../runs/transaction.ts';
import { decodeChunk } from '../codec/chunk.ts';
import { decodeSummaries } from '../codec/segment.ts';
import { mergeSummaries, type SeriesSummary, summarise } from './summary.ts';

type Summaries = Map<number, SeriesSummary>;

export interface ChunkRow {
  attempt: number;
  data: Buffer;
}

/** @param chunks by attempt and seq */
export function foldChunks(into: Summaries, chunks: readonly ChunkRow[]): void {
  for (const { attempt, data } of chunks)
    for (const { metrics, rows, columns } of decodeChunk(data))
      for (const [i, id] of metrics.entries()) addSummary(into, id, summarise(attempt, columns[i]!, rows));
}

function addSummary(into: Summaries, id: number, more: SeriesSummary): void {
  const known = into.get(id);
  into.set(id, known ? mergeSummaries(known, more) : more);
}

/** Chunks of a run that are looked at in one transaction, about as much as a busy run sends in a few seconds. */
const MAX_CHUNKS = 512;

/**
 * Adds what came since the marks. The caller holds the run's metrics (`lockMetrics`).
 * @returns whether there may be more
 */
export async function summariseNew(tx: Tx, runId: string): Promise<boolean> {
  const { rows } = await tx.query<ChunkRow & { last_seq: number }>(
    `SELECT c.attempt, c.last_seq, c.data FROM metric_chunks c
     LEFT JOIN metric_marks m ON m.run_id = c.run_id AND m.attempt = c.attempt
     WHERE c.run_id = $1 AND c.last_seq > COALESCE(m.summarised_seq, 0) ORDER BY c.attempt, c.first_seq LIMIT $2`,
    [runId, MAX_CHUNKS],
  );
  if (rows.length === 0) return false;
  const summaries: Summaries = new Map();
  foldChunks(summaries, rows);
  const known = await loadStored(tx, [...summaries.keys()]);
  for (const [id, summary] of known) summaries.set(id, mergeSummaries(summary, summaries.get(id)!));
  await writeSummaries(tx, summaries);
  const marks = new Map(rows.map(({ attempt, last_seq }) => [attempt, last_seq]));
  await tx.query(
    `INSERT INTO metric_marks (run_id, attempt, summarised_seq)
     SELECT $1, m.attempt, m.seq FROM unnest($2::int[], $3::int[]) AS m(attempt, seq)
     ON CONFLICT (run_id, attempt) DO UPDATE SET summarised_seq = EXCLUDED.summarised_seq`,
    [runId, [...marks.keys()], [...marks.values()]],
  );
  return rows.length === MAX_CHUNKS;
}

/** From all that is stored, after some of it was deleted. The caller holds the run's row and its metrics. */
export async function recomputeSummaries(tx: Tx, runId: string): Promise<void> {
  const summaries: Summaries = new Map();
  const { rows: segments } = await tx.query<{
    attempt: number;
    last_seq: number;
    records: number;
    series_ids: number[];
    summaries: Buffer;
  }>(
    `SELECT attempt, last_seq, records, series_ids, summaries FROM metric_segments WHERE run_id = $1 ORDER BY attempt, first_seq`,
    [runId],
  );
  for (const { attempt, last_seq: seq, records, series_ids, summaries: packed } of segments)
    for (const [i, summary] of decodeSummaries({ attempt, seq }, packed, records).entries())
      addSummary(summaries, series_ids[i]!, summary);
  const { rows: chunks } = await tx.query<ChunkRow>(
    'SELECT attempt, data FROM metric_chunks WHERE run_id = $1 ORDER BY attempt, first_seq',
    [runId],
  );
  foldChunks(summaries, chunks);
  // A series that has lost all of its points goes back to where it began.
  await tx.query(
    `UPDATE metric_series SET points = 0, last = NULL, last_step = NULL, last_epoch = NULL, last_attempt = NULL,
       min = NULL, min_step = NULL, min_epoch = NULL, max = NULL, max_step = NULL, max_epoch = NULL
     WHERE run_id = $1 AND id <> ALL($2)`,
    [runId, [...summaries.keys()]],
  );
  await writeSummaries(tx, summaries);
  await tx.query(
    `INSERT INTO metric_marks (run_id, attempt, summarised_seq)
     SELECT run_id, attempt, acked_seq FROM run_attempts WHERE run_id = $1
     ON CONFLICT (run_id, attempt) DO UPDATE SET summarised_seq = EXCLUDED.summarised_seq`,
    [runId],
  );
}

export interface StoredSummary {
  id: number;
  points: number;
  last: number | null;
  last_step: number;
  last_epoch: number;
  last_attempt: number;
  min: number | null;
  min_step: number;
  min_epoch: number;
  max: number | null;
  max_step: number;
  max_epoch: number;
}

/** @returns null before the series was summarised for the first time */
export function toSummary(row: StoredSummary): SeriesSummary | null {
  if (row.last === null) return null;
  return {
    points: row.points,
    // What is not in it yet of the same attempt came later.
    last: { value: row.last, step: row.last_step, epoch: row.last_epoch, attempt: row.last_attempt, seq: 0 },
    min: row.min === null ? null : { value: row.min, step: row.min_step, epoch: row.min_epoch },
    max: row.max === null ? null : { value: row.max, step: row.max_step, epoch: row.max_epoch },
  };
}

async function loadStored(db: Queryable, ids: readonly number[]): Promise<Summaries> {
  const { rows } = await db.query<StoredSummary>('SELECT * FROM metric_series WHERE id = ANY($1)', [ids]);
  return new Map(
    rows.flatMap((row) => {
      const summary = toSummary(row);
      return summary ? [[row.id, summary] as const] : [];
    }),
  );
}

async function writeSummaries(db: Queryable, summaries: Summaries): Promise<void> {
  const all = [...summaries.values()];
  const pick = (which: 'last' | 'min' | 'max', field: 'value' | 'step' | 'epoch') =>
    all.map((summary) => summary[which]?.[field] ?? null);
  await db.query(
    `UPDATE metric_series s SET points = n.points, last = n.last, last_step = n.last_step, last_epoch = n.last_epoch,
       last_attempt = n.last_attempt, min = n.min, min_step = n.min_step, min_epoch = n.min_epoch,
       max = n.max, max_step = n.max_step, max_epoch = n.max_epoch
     FROM unnest($1::int[], $2::int[], $3::float8[], $4::int[], $5::float8[], $6::int[], $7::float8[], $8::int[],
                 $9::float8[], $10::float8[], $11::int[], $12::float8[])
          AS n(id, points, last, last_step, last_epoch, last_attempt, min, min_step, min_epoch, max, max_step, max_epoch)
     WHERE s.id = n.id`,
    [
      ...[[...summaries.keys()], all.map(({ points }) => points)],
      ...[pick('last', 'value'), pick('last', 'step'), pick('last', 'epoch'), all.map(({ last }) => last.attempt)],
      ...[pick('min', 'value'), pick('min', 'step'), pick('min', 'epoch')],
      ...[pick('max', 'value'), pick('max', 'step'), pick('max', 'epoch')],
    ],
  );
}
