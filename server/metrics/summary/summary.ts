/** The running summary of one series. Folding points one by one, in parts, or from parts that were folded before gives the same. */
import type { Rows } from '../codec/rows.ts';

export interface Extreme {
  value: number;
  step: number;
  epoch: number;
}
export interface SeriesSummary {
  points: number;
  /** Of the newest record, whatever its value is. */
  last: Extreme & { attempt: number; seq: number };
  /** Among equal values the earliest step. NaN is no value here; null without any. */
  min: Extreme | null;
  max: Extreme | null;
}

const isNewer = (a: SeriesSummary['last'], b: SeriesSummary['last']) =>
  a.attempt > b.attempt || (a.attempt === b.attempt && a.seq > b.seq);
const isBefore = (a: Extreme, b: Extreme) => a.step < b.step || (a.step === b.step && a.epoch < b.epoch);
const lower = (a: Extreme | null, b: Extreme | null) =>
  a === null || (b !== null && (b.value < a.value || (b.value === a.value && isBefore(b, a)))) ? b : a;
const higher = (a: Extreme | null, b: Extreme | null) =>
  a === null || (b !== null && (b.value > a.value || (b.value === a.value && isBefore(b, a)))) ? b : a;

/** @param more other points of the same series, in whatever order they come */
export function mergeSummaries(known: SeriesSummary, more: SeriesSummary): SeriesSummary {
  return {
    points: known.points + more.points,
    last: isNewer(more.last, known.last) ? more.last : known.last,
    min: lower(known.min, more.min),
    max: higher(known.max, more.max),
  };
}

/** @param values at least one, each with its record */
export function summarise(attempt: number, values: Float64Array, { seq, step, epoch }: Rows): SeriesSummary {
  let [low, high] = [-1, -1];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    if (low === -1 || value < values[low]!) low = i;
    if (high === -1 || value > values[high]!) high = i;
  }
  const at = (i: number): Extreme => ({ value: values[i]!, step: step[i]!, epoch: epoch[i]! });
  return {
    points: values.length,
    last: { ...at(values.length - 1), attempt, seq: seq.at(-1)! },
    min: low === -1 ? null : at(low),
    max: high === -1 ? null : at(high),
  };
}
