/**
 * A segment: up to a few thousand records of one track, each column for itself, so that Postgres reads of a row only the values or
 * the rollups of the series that is asked for.
 */
import type { RecordCursor } from '@mealtable/protocol/views';
import { type SeriesSummary, summarise } from '../summary/summary.ts';
import { bytesOf, toFloat64s } from './bytes.ts';
import { type ColumnKind, decodeColumn, encodeColumn } from './column.ts';
import { encodeMarks, encodeRollups, levelsOf, WIDTHS } from './rollups.ts';
import { decodeRows, encodeRows } from './rows.ts';
import { lengthOf, type Track } from './track.ts';

/** A row of metric_segments without what it belongs to. */
export interface Segment {
  firstSeq: number;
  lastSeq: number;
  firstStep: number;
  lastStep: number;
  records: number;
  seriesIds: readonly number[];
  rows: Buffer;
  kinds: Buffer;
  offsets: number[];
  data: Buffer;
  marks: Buffer[];
  rollupOffsets: number[];
  rollups: Buffer;
  summaries: Buffer;
}

/** Records of one attempt by seq. Rollups need them by step, too; where a trainer went back a chart reads the points themselves. */
export function encodeSegment(attempt: number, track: Track<number>): Segment {
  const { rows, columns } = track;
  const packed = columns.map(encodeColumn);
  const levels = isAscending(rows.step) ? levelsOf(lengthOf(track)) : 0;
  const rollups = columns.map((values, i) => Buffer.concat(levels === 0 ? [] : encodeRollups(values, packed[i]!.kind)));
  return {
    firstSeq: rows.seq[0]!,
    lastSeq: rows.seq.at(-1)!,
    ...stepRange(rows.step),
    records: lengthOf(track),
    seriesIds: track.metrics,
    rows: encodeRows(rows),
    kinds: Buffer.from(packed.map(({ kind }) => kind)),
    offsets: offsetsOf(packed.map(({ bytes }) => bytes)),
    data: Buffer.concat(packed.map(({ bytes }) => bytes)),
    marks: WIDTHS.slice(0, levels).map((width) => encodeMarks(rows, width)),
    rollupOffsets: offsetsOf(rollups),
    rollups: Buffer.concat(rollups),
    summaries: encodeSummaries(columns.map((values) => summarise(attempt, values, rows))),
  };
}

export function decodeSegment(
  segment: Pick<Segment, 'records' | 'seriesIds' | 'rows' | 'kinds' | 'offsets' | 'data'>,
): Track<number> {
  const { records, seriesIds, kinds, offsets, data } = segment;
  return {
    metrics: seriesIds,
    rows: decodeRows(segment.rows, records),
    columns: seriesIds.map((_, i) =>
      decodeColumn(kinds[i] as ColumnKind, data.subarray(offsets[i], offsets[i + 1]), records),
    ),
  };
}

export function stepRange(steps: Float64Array): { firstStep: number; lastStep: number } {
  let [firstStep, lastStep] = [steps[0]!, steps[0]!];
  for (const step of steps) {
    if (step < firstStep) firstStep = step;
    if (step > lastStep) lastStep = step;
  }
  return { firstStep, lastStep };
}

export function isAscending(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i]! < values[i - 1]!) return false;
  return true;
}

function offsetsOf(parts: readonly Uint8Array[]): number[] {
  const offsets = [0];
  for (const part of parts) offsets.push(offsets.at(-1)! + part.length);
  return offsets;
}

/** Numbers that a summary takes here: last, lowest and highest value, each with step and epoch; NaN for none. */
const SUMMARY_NUMBERS = 9;

function encodeSummaries(summaries: readonly SeriesSummary[]): Buffer {
  const numbers = summaries.flatMap(({ last, min, max }) =>
    [last, min, max].flatMap((extreme) =>
      extreme === null ? [Number.NaN, Number.NaN, Number.NaN] : [extreme.value, extreme.step, extreme.epoch],
    ),
  );
  return Buffer.from(bytesOf(new Float64Array(numbers)));
}

/** @param newest the segment's last record @returns by series, in the order of its ids */
export function decodeSummaries(newest: RecordCursor, bytes: Uint8Array, records: number): SeriesSummary[] {
  const numbers = toFloat64s(bytes);
  const extremeAt = (i: number) => ({ value: numbers[i]!, step: numbers[i + 1]!, epoch: numbers[i + 2]! });
  const orNone = (i: number) => (Number.isNaN(numbers[i]!) ? null : extremeAt(i));
  return Array.from({ length: numbers.length / SUMMARY_NUMBERS }, (_, series) => {
    const i = series * SUMMARY_NUMBERS;
    return {
      points: records,
      last: { ...extremeAt(i), ...newest },
      min: orNone(i + 3),
      max: orNone(i + 6),
    };
  });
}
