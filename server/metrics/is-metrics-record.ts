/**
 * MetricsRecord of the protocol, checked by hand: nearly all records of a busy hub are of this kind, and the schema takes about ten
 * times as long for one. It only ever says yes to what the schema takes (fuzzed in test/metrics/parse-batch.test.ts); whatever it does
 * not know at once is left to the schema, and so is every refusal.
 */
import { MetricName, type MetricsRecord } from '@mealtable/protocol/records';

const MAX_INT32 = 2 ** 31 - 1;
const MAX_TIME = 8.64e15;
const FIELDS = 6;

/** Names that the schema has taken. Runs of one kind all have the same few. */
const knownNames = new Set<string>();
const MAX_KNOWN_NAMES = 20_000;

function isName(name: string): boolean {
  if (knownNames.has(name)) return true;
  if (!MetricName.safeParse(name).success) return false;
  if (knownNames.size >= MAX_KNOWN_NAMES) knownNames.clear();
  knownNames.add(name);
  return true;
}

const isWithin = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && value >= least && value <= most;
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

export function isMetricsRecord(item: unknown): item is MetricsRecord {
  if (!isPlain(item) || item.kind !== 'metrics' || !isPlain(item.values)) return false;
  let fields = 0;
  for (const _ in item) fields++;
  return (
    fields === FIELDS &&
    Number.isInteger(item.seq) &&
    isWithin(item.seq, 1, MAX_INT32) &&
    Number.isInteger(item.step) &&
    isWithin(item.step, 0, MAX_INT32) &&
    isWithin(item.at, 0, MAX_TIME) &&
    isWithin(item.epoch, 0, Number.MAX_VALUE) &&
    areValues(item.values)
  );
}

function areValues(values: Record<string, unknown>): boolean {
  for (const name in values) {
    const value = values[name];
    if (typeof value === 'number') {
      if (value - value !== 0) return false; // NaN and infinities have other spellings
    } else if (value !== 'NaN' && value !== 'Infinity' && value !== '-Infinity') return false;
    if (!isName(name)) return false;
  }
  return true;
}
