/**
 * What a chart reads of a long series instead of its points: for every 32, 256 and 2,048 of them the lowest, the highest, the mean,
 * the first and the last. Which records those are (their marks) is the same for all metrics of a track and written once.
 */
import { ByteReader, ByteWriter, bytesOf, toFloat32s, toFloat64s, toUint16s } from './bytes.ts';
import { CONSTANT, type ColumnKind, FLOAT32 } from './column.ts';
import { type Rows, readEpochs, readIntegers, readTimes, writeEpochs, writeIntegers, writeTimes } from './rows.ts';

/** Points that a rollup stands for. Widths below 32 would cost more bytes than the points themselves are worth. */
export const WIDTHS = [32, 256, 2_048] as const;

/** One level of one series: a rollup per entry. */
export interface RollupColumns {
  /** NaN where all points are. NaN is left out otherwise, infinities are not. */
  min: Float64Array;
  max: Float64Array;
  /** Of the finite values; NaN without any. In the precision of the series. */
  mean: Float64Array;
  first: Float64Array;
  last: Float64Array;
  /** How many values are finite. */
  finite: Float64Array;
}
/** One level of a track: which records each rollup stands for. */
export interface Marks {
  firstStep: Float64Array;
  step: Float64Array;
  at: Float64Array;
  epoch: Float64Array;
}

export const entriesAt = (count: number, width: number): number => Math.ceil(count / width);
/** Levels that a track of so many records has: one that would have a single entry says no more than the points do. */
export const levelsOf = (count: number): number => WIDTHS.filter((width) => count > width).length;

export function encodeMarks({ step, at, epoch }: Rows, width: number): Buffer {
  const entries = entriesAt(step.length, width);
  const firsts = Float64Array.from({ length: entries }, (_, j) => step[j * width]!);
  const lastOf = (values: Float64Array) =>
    Float64Array.from({ length: entries }, (_, j) => values[Math.min((j + 1) * width, values.length) - 1]!);
  const steps = lastOf(step);
  const writer = new ByteWriter();
  writeIntegers(writer, firsts);
  writeIntegers(writer, steps);
  writeTimes(writer, lastOf(at));
  writeEpochs(writer, lastOf(epoch), steps);
  return writer.finish();
}

export function decodeMarks(bytes: Uint8Array, entries: number): Marks {
  const reader = new ByteReader(bytes);
  const firstStep = readIntegers(reader, entries);
  const step = readIntegers(reader, entries);
  const at = readTimes(reader, entries);
  return { firstStep, step, at, epoch: readEpochs(reader, step) };
}

function rollUp(values: Float64Array, width: number): RollupColumns {
  const entries = entriesAt(values.length, width);
  const make = () => new Float64Array(entries);
  const columns = { min: make(), max: make(), mean: make(), first: make(), last: make(), finite: make() };
  for (let j = 0; j < entries; j++) {
    const end = Math.min((j + 1) * width, values.length);
    let min = Number.NaN;
    let max = Number.NaN;
    let sum = 0;
    let finite = 0;
    for (let i = j * width; i < end; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      // Not the other way round: the first value is compared with NaN.
      if (!(min <= value)) min = value;
      if (!(max >= value)) max = value;
      if (Math.abs(value) === Number.POSITIVE_INFINITY) continue;
      sum += value;
      finite++;
    }
    columns.min[j] = min;
    columns.max[j] = max;
    columns.mean[j] = finite === 0 ? Number.NaN : sum / finite;
    columns.first[j] = values[j * width]!;
    columns.last[j] = values[end - 1]!;
    columns.finite[j] = finite;
  }
  return columns;
}

const NUMBERS = ['min', 'max', 'mean', 'first', 'last'] as const;
const sizeOf = (kind: ColumnKind) => (kind === FLOAT32 ? 4 : 8);

/** Bytes of a level: its numbers, then how many values are finite. All levels of a series follow each other. */
export const levelSize = (kind: ColumnKind, count: number, level: number): number =>
  kind === CONSTANT ? 0 : (NUMBERS.length * sizeOf(kind) + 2) * entriesAt(count, WIDTHS[level]!);

/** @returns all levels of a series; nothing for a constant one, whose rollups are known without being written */
export function encodeRollups(values: Float64Array, kind: ColumnKind): Uint8Array[] {
  if (kind === CONSTANT) return [];
  return WIDTHS.slice(0, levelsOf(values.length)).flatMap((width) => {
    const columns = rollUp(values, width);
    const numbers = NUMBERS.map((name) => bytesOf(kind === FLOAT32 ? new Float32Array(columns[name]) : columns[name]));
    return [...numbers, bytesOf(new Uint16Array(columns.finite))];
  });
}

/** @param count of the series' points, not of the entries */
export function decodeRollups(bytes: Uint8Array, kind: ColumnKind, count: number, level: number): RollupColumns {
  const entries = entriesAt(count, WIDTHS[level]!);
  const reader = new ByteReader(bytes);
  const read = () => {
    const part = reader.take(sizeOf(kind) * entries);
    return kind === FLOAT32 ? new Float64Array(toFloat32s(part)) : toFloat64s(part);
  };
  const [min, max, mean, first, last] = [read(), read(), read(), read(), read()];
  const finite = new Float64Array(toUint16s(reader.take(2 * entries)));
  return { min, max, mean, first, last, finite };
}

/** The rollups of a series whose every value is the same. */
export function constantRollups(value: number, count: number, level: number): RollupColumns {
  const width = WIDTHS[level]!;
  const entries = entriesAt(count, width);
  const all = new Float64Array(entries).fill(value);
  const counts = Float64Array.from({ length: entries }, (_, j) => Math.min(width, count - j * width));
  const finite = Number.isFinite(value) ? counts : new Float64Array(entries);
  const mean = Number.isFinite(value) ? all : new Float64Array(entries).fill(Number.NaN);
  return { min: all, max: all, mean, first: all, last: all, finite };
}
