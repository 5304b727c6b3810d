/**
 * Puts the chunks of an attempt together as segments. Chunks go and segments come in one transaction: however it ends, every point is
 * stored once. What has not been summarised yet stays as it is.
 */
import type { AttemptRef } from '@mealtable/protocol/agent-messages';
import type { Tx } from '../../runs/transaction.ts';
import { decodeChunk } from '../codec/chunk.ts';
import { joinTracks } from '../codec/join-tracks.ts';
import { decodeSegment, encodeSegment, type Segment } from '../codec/segment.ts';
import { deleteChunks, deleteSegments, insertSegment, SEGMENT_PACKED } from '../rows.ts';

export interface SegmentLimits {
  /** Records of a segment, about. More would make a chart of a few points read more than it needs. */
  records: number;
  /** Packed bytes of a segment, about: what an attempt with thousands of metrics is bounded by. */
  bytes: number;
  /** Segments with fewer than half of `records` are put together when there are so many of them. */
  small: number;
}
export const SEGMENT_LIMITS: SegmentLimits = { records: 8_192, bytes: 4_000_000, small: 8 };

/**
 * The oldest chunks of an attempt, as many as make a segment. The caller holds the run's metrics.
 * @returns records that went into segments
 */
export async function compactChunks(tx: Tx, ref: AttemptRef, limits: SegmentLimits): Promise<number> {
  const { rows } = await tx.query<{ first_seq: number; records: number; data: Buffer }>(
    `SELECT first_seq, records, data FROM (
       SELECT c.first_seq, c.records, c.data, sum(c.records) OVER before AS records_before,
              sum(octet_length(c.data)) OVER before AS bytes_before
       FROM metric_chunks c JOIN metric_marks m ON m.run_id = c.run_id AND m.attempt = c.attempt
       WHERE c.run_id = $1 AND c.attempt = $2 AND c.last_seq <= m.summarised_seq
       WINDOW before AS (ORDER BY c.first_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) chunk
     WHERE COALESCE(records_before, 0) < $3 AND COALESCE(bytes_before, 0) < $4 ORDER BY first_seq`,
    [ref.runId, ref.attempt, limits.records, limits.bytes],
  );
  if (rows.length === 0) return 0;
  for (const track of joinTracks(rows.flatMap(({ data }) => decodeChunk(data))))
    await insertSegment(tx, ref, encodeSegment(ref.attempt, track));
  await deleteChunks(
    tx,
    ref,
    rows.map((row) => row.first_seq),
  );
  return rows.reduce((sum, { records }) => sum + records, 0);
}

/**
 * Small segments of the same series become one. The caller holds the run's metrics.
 * @param least so many of them are worth it: 2 when no more will come
 */
export async function mergeSegments(tx: Tx, ref: AttemptRef, limits: SegmentLimits, least: number): Promise<void> {
  const { rows } = await tx.query<{ first_seqs: number[]; records: number[]; bytes: number[] }>(
    `SELECT array_agg(first_seq ORDER BY first_seq) AS first_seqs, array_agg(records ORDER BY first_seq) AS records,
            array_agg(octet_length(data) ORDER BY first_seq) AS bytes
     FROM metric_segments WHERE run_id = $1 AND attempt = $2 AND records < $3 AND octet_length(data) < $4
     GROUP BY series_ids HAVING count(*) >= $5`,
    [ref.runId, ref.attempt, limits.records / 2, limits.bytes / 2, least],
  );
  for (const { first_seqs, records, bytes } of rows)
    for (const group of groupsOf(first_seqs, records, bytes, limits))
      if (group.length > 1) await mergeGroup(tx, ref, group);
}

/** Neighbours, as many as fit into one segment each time. */
function groupsOf(
  firstSeqs: readonly number[],
  records: readonly number[],
  bytes: readonly number[],
  limits: SegmentLimits,
): number[][] {
  const groups: number[][] = [];
  let [heldRecords, heldBytes] = [Number.POSITIVE_INFINITY, 0];
  for (const [i, firstSeq] of firstSeqs.entries()) {
    heldRecords += records[i]!;
    heldBytes += bytes[i]!;
    if (heldRecords > limits.records || heldBytes > limits.bytes) {
      groups.push([]);
      [heldRecords, heldBytes] = [records[i]!, bytes[i]!];
    }
    groups.at(-1)!.push(firstSeq);
  }
  return groups;
}

async function mergeGroup(tx: Tx, ref: AttemptRef, firstSeqs: readonly number[]): Promise<void> {
  const { rows } = await tx.query<Segment>(
    `SELECT ${SEGMENT_PACKED} FROM metric_segments
     WHERE run_id = $1 AND attempt = $2 AND first_seq = ANY($3) ORDER BY first_seq`,
    [ref.runId, ref.attempt, firstSeqs],
  );
  await deleteSegments(tx, ref, firstSeqs);
  for (const track of joinTracks(rows.map(decodeSegment)))
    await insertSegment(tx, ref, encodeSegment(ref.attempt, track));
}
