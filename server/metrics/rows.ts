/** The statements that write and read chunks and segments, packed as codec/ describes. */
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import type { Queryable } from '../runs/summary.ts';
import { encodeChunk } from './codec/chunk.ts';
import { type Segment, stepRange } from './codec/segment.ts';
import { lengthOf, type Track } from './codec/track.ts';

export interface ChunkKey extends AttemptRef {
  firstSeq: number;
}
export interface ChunkToWrite extends AttemptRef {
  /** At least one record among them. */
  tracks: readonly Track<number>[];
}

export const CHUNK_COLUMNS = 'run_id, attempt, first_seq, last_seq, first_step, last_step, records, points, data';

/** One statement for up to so many chunks: Postgres keeps its plan, and each number of chunks has its own. */
const MAX_CHUNKS = 32;

/** A second writing of the same chunk is nothing, whatever else goes wrong. */
export async function insertChunks(db: Queryable, chunks: readonly ChunkToWrite[]): Promise<void> {
  for (let from = 0; from < chunks.length; from += MAX_CHUNKS) {
    const some = chunks.slice(from, from + MAX_CHUNKS);
    const values = some.flatMap(chunkValues);
    const width = values.length / some.length;
    const row = (i: number) => `(${Array.from({ length: width }, (_, column) => `$${i * width + column + 1}`)})`;
    await db.query({
      name: `insert-${some.length}-chunks`,
      text: `INSERT INTO metric_chunks (${CHUNK_COLUMNS}) VALUES ${some.map((_, i) => row(i))} ON CONFLICT DO NOTHING`,
      values,
    });
  }
}

/** In the order of CHUNK_COLUMNS. */
export const chunkValues = ({ runId, attempt, tracks }: ChunkToWrite): unknown[] => [
  ...[runId, attempt, ...Object.values(describeTracks(tracks))],
  encodeChunk(tracks),
];

function describeTracks(tracks: readonly Track<number>[]) {
  const ranges = tracks.map(({ rows }) => stepRange(rows.step));
  return {
    firstSeq: Math.min(...tracks.map(({ rows }) => rows.seq[0]!)),
    lastSeq: Math.max(...tracks.map(({ rows }) => rows.seq.at(-1)!)),
    firstStep: Math.min(...ranges.map(({ firstStep }) => firstStep)),
    lastStep: Math.max(...ranges.map(({ lastStep }) => lastStep)),
    records: tracks.reduce((sum, track) => sum + lengthOf(track), 0),
    points: tracks.reduce((sum, track) => sum + lengthOf(track) * track.metrics.length, 0),
  };
}

export async function deleteChunks(
  db: Queryable,
  { runId, attempt }: AttemptRef,
  firstSeqs: readonly number[],
): Promise<void> {
  await db.query('DELETE FROM metric_chunks WHERE run_id = $1 AND attempt = $2 AND first_seq = ANY($3)', [
    ...[runId, attempt, firstSeqs],
  ]);
}

export async function insertSegment(db: Queryable, { runId, attempt }: AttemptRef, segment: Segment): Promise<void> {
  await db.query({
    name: 'insert-segment',
    text: `INSERT INTO metric_segments (run_id, attempt, first_seq, last_seq, first_step, last_step, records, series_ids,
             rows, kinds, offsets, data, marks, rollup_offsets, rollups, summaries)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    values: [
      ...[runId, attempt, segment.firstSeq, segment.lastSeq, segment.firstStep, segment.lastStep, segment.records],
      ...[segment.seriesIds, segment.rows, segment.kinds, segment.offsets, segment.data, segment.marks],
      ...[segment.rollupOffsets, segment.rollups, segment.summaries],
    ],
  });
}

export async function deleteSegments(
  db: Queryable,
  { runId, attempt }: AttemptRef,
  firstSeqs: readonly number[],
): Promise<void> {
  await db.query('DELETE FROM metric_segments WHERE run_id = $1 AND attempt = $2 AND first_seq = ANY($3)', [
    ...[runId, attempt, firstSeqs],
  ]);
}

/** What segments are packed with, under the names of `Segment`. */
export const SEGMENT_PACKED = 'first_seq AS "firstSeq", records, series_ids AS "seriesIds", rows, kinds, offsets, data';

/** So that the chunks of a run are put together, rewound or removed by one transaction at a time. Held until its end. */
export async function lockMetrics(db: Queryable, runIds: readonly string[]): Promise<void> {
  // In one order everywhere, so that two that need several do not wait for each other.
  for (const runId of [...runIds].sort())
    await db.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [METRICS_LOCK, runId]);
}

/** As `lockMetrics`, without waiting. @returns whether it is held now */
export async function tryLockMetrics(db: Queryable, runId: string): Promise<boolean> {
  const { rows } = await db.query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS locked', [
    METRICS_LOCK,
    runId,
  ]);
  return rows[0]!.locked;
}

/** Any number that no other lock of the hub has. */
const METRICS_LOCK = 4_711_001;

/** All points of runs that are being removed. The rows of the runs must be locked already. */
export async function removeMetrics(db: Queryable, runIds: readonly string[]): Promise<void> {
  await lockMetrics(db, runIds);
  for (const table of ['metric_chunks', 'metric_segments', 'metric_marks', 'metric_records'])
    await db.query(`DELETE FROM ${table} WHERE run_id = ANY($1)`, [runIds]);
}
