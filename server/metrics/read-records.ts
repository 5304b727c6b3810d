/** Metrics records in the order of (attempt, seq), whatever they are stored as. */
import type { RecordCursor } from '@mealtable/protocol/views';
import type { Queryable } from '../runs/summary.ts';
import { decodeChunk } from './codec/chunk.ts';
import { decodeSegment, type Segment } from './codec/segment.ts';
import type { Track } from './codec/track.ts';
import { SEGMENT_PACKED } from './rows.ts';

export interface StoredRecord {
  attempt: number;
  seq: number;
  step: number;
  epoch: number;
  /** Milliseconds since 1970. */
  at: number;
  /** Ids of its series and their values, side by side. */
  series: readonly number[];
  values: number[];
}

/** A chunk or a segment that has records after the cursor. */
interface Source {
  isChunk: boolean;
  attempt: number;
  firstSeq: number;
  records: number;
}

/** Rows that are fetched at a time: one that holds many records is fetched alone. */
const SOURCES_AT_ONCE = 64;
const RECORDS_AT_ONCE = 10_000;

/**
 * Call it within one snapshot.
 * @param after the newest record not wanted; null for all
 * @returns at least `limit` of the next records where there are so many, in order
 */
export async function readRecords(
  db: Queryable,
  runId: string,
  after: RecordCursor | null,
  limit: number,
): Promise<StoredRecord[]> {
  const { attempt, seq } = after ?? { attempt: 0, seq: 0 };
  const sources = await findSources(db, runId, attempt, seq);
  const ready: StoredRecord[] = [];
  let open: StoredRecord[] = [];
  for (let next = 0; next < sources.length && ready.length < limit; ) {
    const some = takeSome(sources, next);
    next += some.length;
    for (const part of await fetchTracks(db, runId, some))
      for (const track of part.tracks) addRecords(open, part.attempt, track, attempt, seq);
    open.sort(inOrder);
    // What comes before everything that is still to be fetched.
    const border = sources[next];
    const sure = border === undefined ? open.length : open.findIndex((record) => !isBefore(record, border));
    ready.push(...open.slice(0, sure === -1 ? open.length : sure));
    open = sure === -1 ? [] : open.slice(sure);
  }
  return ready;
}

const inOrder = (a: StoredRecord, b: StoredRecord) => a.attempt - b.attempt || a.seq - b.seq;
const isBefore = (record: StoredRecord, { attempt, firstSeq }: Source) =>
  record.attempt < attempt || (record.attempt === attempt && record.seq < firstSeq);

async function findSources(db: Queryable, runId: string, attempt: number, seq: number): Promise<Source[]> {
  const select = (table: string, isChunk: boolean) =>
    `SELECT ${isChunk} AS "isChunk", attempt, first_seq AS "firstSeq", records FROM ${table}
     WHERE run_id = $1 AND (attempt > $2 OR (attempt = $2 AND last_seq > $3))`;
  const { rows } = await db.query<Source>(
    `${select('metric_chunks', true)} UNION ALL ${select('metric_segments', false)} ORDER BY attempt, "firstSeq"`,
    [runId, attempt, seq],
  );
  return rows;
}

function takeSome(sources: readonly Source[], from: number): Source[] {
  const some: Source[] = [];
  let records = 0;
  for (let i = from; i < sources.length && some.length < SOURCES_AT_ONCE && records < RECORDS_AT_ONCE; i++) {
    some.push(sources[i]!);
    records += sources[i]!.records;
  }
  return some;
}

async function fetchTracks(db: Queryable, runId: string, sources: readonly Source[]) {
  const keysOf = (isChunk: boolean) => {
    const some = sources.filter((source) => source.isChunk === isChunk);
    return [runId, some.map(({ attempt }) => attempt), some.map(({ firstSeq }) => firstSeq)];
  };
  const where = `run_id = $1 AND (attempt, first_seq) IN (SELECT * FROM unnest($2::int[], $3::int[]))`;
  const { rows: chunks } = await db.query<{ attempt: number; data: Buffer }>(
    `SELECT attempt, data FROM metric_chunks WHERE ${where}`,
    keysOf(true),
  );
  const { rows: segments } = await db.query<Segment & { attempt: number }>(
    `SELECT attempt, ${SEGMENT_PACKED} FROM metric_segments WHERE ${where}`,
    keysOf(false),
  );
  return [
    ...chunks.map(({ attempt, data }) => ({ attempt, tracks: decodeChunk(data) })),
    ...segments.map((segment) => ({ attempt: segment.attempt, tracks: [decodeSegment(segment)] })),
  ];
}

function addRecords(
  into: StoredRecord[],
  attempt: number,
  { metrics, rows, columns }: Track<number>,
  afterAttempt: number,
  afterSeq: number,
): void {
  for (let i = 0; i < rows.seq.length; i++) {
    const seq = rows.seq[i]!;
    if (attempt === afterAttempt && seq <= afterSeq) continue;
    const [step, epoch, at] = [rows.step[i]!, rows.epoch[i]!, rows.at[i]!];
    into.push({ attempt, seq, step, epoch, at, series: metrics, values: columns.map((column) => column[i]!) });
  }
}
