/**
 * What the records of a track have besides values - number, step, time, epoch - in a byte or two per record. Steps and numbers go up
 * evenly and times nearly so: what is written is how much each step differs from the one before it, and how often it did not.
 */
import { ByteReader, ByteWriter, MAX_SIGNED, toFloat64s } from './bytes.ts';

export interface Rows {
  seq: Float64Array;
  step: Float64Array;
  /** Milliseconds since 1970 on the host's clock. */
  at: Float64Array;
  epoch: Float64Array;
}

export function encodeRows({ seq, step, at, epoch }: Rows): Buffer {
  const writer = new ByteWriter();
  writeIntegers(writer, seq);
  writeIntegers(writer, step);
  writeTimes(writer, at);
  writeEpochs(writer, epoch, step);
  return writer.finish();
}

/** @param count of records */
export function decodeRows(bytes: Uint8Array, count: number): Rows {
  const reader = new ByteReader(bytes);
  const seq = readIntegers(reader, count);
  const step = readIntegers(reader, count);
  const at = readTimes(reader, count);
  return { seq, step, at, epoch: readEpochs(reader, step) };
}

/** Second differences; zero is followed by how many more zeros there are. All must stay below MAX_SIGNED. */
export function writeIntegers(writer: ByteWriter, values: Float64Array): void {
  let value = 0;
  let delta = 0;
  for (let i = 0; i < values.length; i++) {
    const next = values[i]! - value - delta;
    value = values[i]!;
    delta += next;
    writer.signed(next);
    if (next !== 0) continue;
    const first = i;
    while (i + 1 < values.length && values[i + 1]! - value === delta) value = values[++i]!;
    writer.varint(i - first);
  }
}

export function readIntegers(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count);
  let value = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    const change = reader.signed();
    delta += change;
    value += delta;
    values[i] = value;
    if (change !== 0) continue;
    for (let more = reader.varint(); more > 0; more--) {
      value += delta;
      values[++i] = value;
    }
  }
  return values;
}

const WHOLE = 1;
const AS_IS = 0;

/** Times may have fractions, and a clock may jump by centuries: then each is written as it is. */
export function writeTimes(writer: ByteWriter, values: Float64Array): void {
  // Four such differences are still less than MAX_SIGNED.
  const isWhole = values.every((at) => Number.isInteger(at) && Math.abs(at) < MAX_SIGNED / 4);
  writer.byte(isWhole ? WHOLE : AS_IS);
  if (isWhole) writeIntegers(writer, values);
  else for (const at of values) writer.float64(at);
}

export function readTimes(reader: ByteReader, count: number): Float64Array {
  return reader.byte() === WHOLE ? readIntegers(reader, count) : toFloat64s(reader.take(8 * count));
}

/** An epoch nearly always is its step divided by the steps of an epoch: one number instead of one per record. */
export function writeEpochs(writer: ByteWriter, epochs: Float64Array, steps: Float64Array): void {
  const some = epochs.findIndex((epoch) => epoch > 0);
  const perEpoch = some === -1 ? 1 : Math.round(steps[some]! / epochs[some]!);
  const isQuotient =
    perEpoch >= 1 && perEpoch < MAX_SIGNED && epochs.every((epoch, i) => Object.is(epoch, steps[i]! / perEpoch));
  writer.varint(isQuotient ? perEpoch : 0);
  if (!isQuotient) for (const epoch of epochs) writer.float64(epoch);
}

export function readEpochs(reader: ByteReader, steps: Float64Array): Float64Array {
  const perEpoch = reader.varint();
  if (perEpoch === 0) return toFloat64s(reader.take(8 * steps.length));
  const epochs = new Float64Array(steps.length);
  for (let i = 0; i < epochs.length; i++) epochs[i] = steps[i]! / perEpoch;
  return epochs;
}
