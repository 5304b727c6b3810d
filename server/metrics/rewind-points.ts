/** Deletes the points that a rewind takes back, also from the middle of a chunk or a segment. */
import type { Tx } from '../runs/transaction.ts';
import { decodeChunk } from './codec/chunk.ts';
import { decodeSegment, encodeSegment, type Segment } from './codec/segment.ts';
import { filterTrack, type Track } from './codec/track.ts';
import { deleteChunks, deleteSegments, insertChunks, insertSegment, lockMetrics, SEGMENT_PACKED } from './rows.ts';
import { recomputeSummaries } from './summary/keep-summaries.ts';

export interface RewindTo {
  step: number;
  /** Points of later attempts go at the step itself, too; null for none. */
  attempt: number | null;
}

/** The caller holds the row of the run, so nothing new comes meanwhile. */
export async function rewindPoints(tx: Tx, runId: string, to: RewindTo): Promise<void> {
  await lockMetrics(tx, [runId]);
  let changed = 0;
  for (const table of ['metric_chunks', 'metric_segments']) {
    const { rowCount } = await tx.query(`DELETE FROM ${table} WHERE run_id = $1 AND first_step > $2`, [runId, to.step]);
    changed += rowCount ?? 0;
  }
  changed += await cutChunks(tx, runId, to);
  changed += await cutSegments(tx, runId, to);
  if (changed > 0) await recomputeSummaries(tx, runId);
}

/** Of what reaches beyond the step only in part, or has points at it that may have to go. */
const REACHES_BEYOND = 'run_id = $1 AND (last_step > $2 OR (last_step = $2 AND attempt > $3))';
const valuesOf = (runId: string, { step, attempt }: RewindTo) => [runId, step, attempt];

function cut(track: Track<number>, attempt: number, to: RewindTo): Track<number> | null {
  const takesStep = to.attempt !== null && attempt > to.attempt;
  const { step } = track.rows;
  return filterTrack(track, (row) => step[row]! < to.step || (step[row] === to.step && !takesStep));
}

async function cutChunks(tx: Tx, runId: string, to: RewindTo): Promise<number> {
  const { rows } = await tx.query<{ attempt: number; first_seq: number; data: Buffer }>(
    `SELECT attempt, first_seq, data FROM metric_chunks WHERE ${REACHES_BEYOND}`,
    valuesOf(runId, to),
  );
  for (const { attempt, first_seq, data } of rows) {
    const tracks = decodeChunk(data).flatMap((track) => cut(track, attempt, to) ?? []);
    await deleteChunks(tx, { runId, attempt }, [first_seq]);
    if (tracks.length > 0) await insertChunks(tx, [{ runId, attempt, tracks }]);
  }
  return rows.length;
}

async function cutSegments(tx: Tx, runId: string, to: RewindTo): Promise<number> {
  const { rows } = await tx.query<Segment & { attempt: number }>(
    `SELECT attempt, ${SEGMENT_PACKED} FROM metric_segments WHERE ${REACHES_BEYOND}`,
    valuesOf(runId, to),
  );
  for (const { attempt, ...segment } of rows) {
    const track = cut(decodeSegment(segment), attempt, to);
    await deleteSegments(tx, { runId, attempt }, [segment.firstSeq]);
    if (track) await insertSegment(tx, { runId, attempt }, encodeSegment(attempt, track));
  }
  return rows.length;
}
