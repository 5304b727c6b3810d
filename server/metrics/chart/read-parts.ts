/** Reads of series what a chart needs: single points of chunks and of some segments, rollups of the others. */
import type { Queryable } from '../../runs/summary.ts';
import { decodeChunk } from '../codec/chunk.ts';
import { CONSTANT, type ColumnKind, columnSize, decodeColumn } from '../codec/column.ts';
import { constantRollups, decodeMarks, decodeRollups, entriesAt, levelSize, WIDTHS } from '../codec/rollups.ts';
import { decodeRows, type Rows } from '../codec/rows.ts';
import { stepRange } from '../codec/segment.ts';
import type { Entries } from './fold-series.ts';

/** Steps wanted, both included. */
export interface StepRange {
  from: number;
  to: number;
}
/** A series in a segment: where its values and rollups are. */
export interface SegmentPart {
  id: number;
  run_id: string;
  attempt: number;
  first_seq: number;
  first_step: number;
  last_step: number;
  records: number;
  kind: ColumnKind;
  data_offset: number;
  rollup_offset: number;
  levels: number;
}

export async function findSegmentParts(
  db: Queryable,
  ids: readonly number[],
  runIds: readonly string[],
  { from, to }: StepRange,
): Promise<SegmentPart[]> {
  const { rows } = await db.query<SegmentPart>({
    name: 'find-segment-parts',
    text: `SELECT s.id, g.run_id, g.attempt, g.first_seq, g.first_step, g.last_step, g.records,
                  get_byte(g.kinds, p.i - 1) AS kind, g.offsets[p.i] AS data_offset,
                  g.rollup_offsets[p.i] AS rollup_offset, cardinality(g.marks) AS levels
           FROM metric_segments g JOIN metric_series s ON s.run_id = g.run_id
           CROSS JOIN LATERAL (SELECT array_position(g.series_ids, s.id)) AS p(i)
           WHERE g.run_id = ANY($2) AND s.id = ANY($1) AND p.i IS NOT NULL AND g.last_step >= $3 AND g.first_step <= $4
           ORDER BY s.id, g.attempt, g.first_seq`,
    values: [ids, runIds, from, to],
  });
  return rows;
}

const keysOf = (parts: readonly SegmentPart[]) => [
  parts.map(({ run_id }) => run_id),
  parts.map(({ attempt }) => attempt),
  parts.map(({ first_seq }) => first_seq),
];
const SAME_SEGMENT = 'g.run_id = k.run_id AND g.attempt = k.attempt AND g.first_seq = k.first_seq';

/** Single points. @returns for each part its own, only those of the steps */
export async function readSegmentPoints(
  db: Queryable,
  parts: readonly SegmentPart[],
  range: StepRange,
): Promise<Entries[]> {
  if (parts.length === 0) return [];
  const { rows } = await db.query<{ rows: Buffer; data: Buffer }>({
    name: 'read-segment-points',
    text: `SELECT g.rows, substring(g.data FROM k.from_byte + 1 FOR k.bytes) AS data
           FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[]) WITH ORDINALITY
                AS k(run_id, attempt, first_seq, from_byte, bytes, n)
           JOIN metric_segments g ON ${SAME_SEGMENT} ORDER BY k.n`,
    values: [
      ...keysOf(parts),
      parts.map(({ data_offset }) => data_offset),
      parts.map(({ kind, records }) => columnSize(kind, records)),
    ],
  });
  return rows.map((row, i) => {
    const { kind, records, attempt } = parts[i]!;
    return toPoints(attempt, decodeRows(row.rows, records), decodeColumn(kind, row.data, records), range);
  });
}

/** @param parts with the level of rollups that is wanted of each */
export async function readSegmentRollups(
  db: Queryable,
  parts: readonly (SegmentPart & { level: number })[],
): Promise<Entries[]> {
  if (parts.length === 0) return [];
  const { rows } = await db.query<{ marks: Buffer; rollups: Buffer; constant: Buffer | null }>({
    name: 'read-segment-rollups',
    text: `SELECT g.marks[k.level] AS marks, substring(g.rollups FROM k.from_byte + 1 FOR k.bytes) AS rollups,
                  CASE WHEN k.constant_at IS NOT NULL THEN substring(g.data FROM k.constant_at + 1 FOR 8) END AS constant
           FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[]) WITH ORDINALITY
                AS k(run_id, attempt, first_seq, level, from_byte, bytes, constant_at, n)
           JOIN metric_segments g ON ${SAME_SEGMENT} ORDER BY k.n`,
    values: [
      ...keysOf(parts),
      parts.map(({ level }) => level + 1),
      parts.map(({ kind, records, level, rollup_offset }) => {
        let offset = rollup_offset;
        for (let before = 0; before < level; before++) offset += levelSize(kind, records, before);
        return offset;
      }),
      parts.map(({ kind, records, level }) => levelSize(kind, records, level)),
      parts.map(({ kind, data_offset }) => (kind === CONSTANT ? data_offset : null)),
    ],
  });
  return rows.map((row, i) => {
    const { kind, records, level, attempt, first_seq: seq } = parts[i]!;
    const { firstStep, step, at, epoch } = decodeMarks(row.marks, entriesAt(records, WIDTHS[level]!));
    const count = Float64Array.from(step, (_, j) => Math.min(WIDTHS[level]!, records - j * WIDTHS[level]!));
    const { last, ...rollups } =
      row.constant === null
        ? decodeRollups(row.rollups, kind, records, level)
        : constantRollups(row.constant.readDoubleLE(), records, level);
    return { attempt, seq, step, at, epoch, last, rollups: { firstStep, count, ...rollups } };
  });
}

/** Points of chunks, by series; the chunks of a run in the order of their records. */
export async function readChunkPoints(
  db: Queryable,
  ids: readonly number[],
  runIds: readonly string[],
  range: StepRange,
): Promise<Map<number, Entries[]>> {
  const { rows } = await db.query<{ attempt: number; data: Buffer }>({
    name: 'read-chunk-points',
    text: `SELECT attempt, data FROM metric_chunks WHERE run_id = ANY($1) AND last_step >= $2 AND first_step <= $3
           ORDER BY run_id, attempt, first_seq`,
    values: [runIds, range.from, range.to],
  });
  const wanted = new Set(ids);
  const found = new Map<number, Entries[]>();
  for (const { attempt, data } of rows)
    for (const track of decodeChunk(data, wanted))
      for (const [i, id] of track.metrics.entries()) {
        const points = toPoints(attempt, track.rows, track.columns[i]!, range);
        const known = found.get(id);
        if (known) known.push(points);
        else found.set(id, [points]);
      }
  return found;
}

function toPoints(attempt: number, rows: Rows, last: Float64Array, { from, to }: StepRange): Entries {
  const { step, epoch, at } = rows;
  const seq = rows.seq[0]!;
  const { firstStep, lastStep } = stepRange(step);
  if (firstStep >= from && lastStep <= to) return { attempt, seq, step, epoch, at, last, rollups: null };
  const kept = [...step.keys()].filter((i) => step[i]! >= from && step[i]! <= to);
  const pick = (values: Float64Array) => Float64Array.from(kept, (i) => values[i]!);
  return { attempt, seq, step: pick(step), epoch: pick(epoch), at: pick(at), last: pick(last), rollups: null };
}
