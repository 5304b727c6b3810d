/**
 * Records that have the same metrics are a track: their numbers, steps, times and epochs are kept once for all of those metrics. A
 * trainer's records make a few: one of its steps, one of its validations.
 */
import type { MetricsRecord } from '@mealtable/protocol/records';
import { fromWireNumber } from '@mealtable/protocol/wire-number';
import type { Rows } from './rows.ts';

/** @template K what metrics are known by: names on their way in, the ids of series when stored */
export interface Track<K> {
  metrics: readonly K[];
  rows: Rows;
  /** One column per metric, one value per record. */
  columns: Float64Array[];
}
export const lengthOf = (track: Track<unknown>): number => track.rows.seq.length;

class TrackBuilder {
  readonly metrics: string[];
  readonly seq: number[] = [];
  readonly step: number[] = [];
  readonly at: number[] = [];
  readonly epoch: number[] = [];
  readonly columns: number[][];
  constructor(metrics: string[]) {
    this.metrics = metrics;
    this.columns = metrics.map(() => []);
  }

  /** @returns false, with nothing added, when the record has other metrics or has them in another order */
  add({ seq, step, at, epoch, values }: MetricsRecord): boolean {
    const { metrics, columns } = this;
    let i = 0;
    let fits = true;
    for (const name in values) {
      fits = metrics[i] === name;
      if (!fits) break;
      columns[i++]!.push(fromWireNumber(values[name]!));
    }
    if (!fits || i < metrics.length) {
      for (const column of columns.slice(0, i)) column.pop();
      return false;
    }
    this.seq.push(seq);
    this.step.push(step);
    this.at.push(at);
    this.epoch.push(epoch);
    return true;
  }

  finish(): Track<string> {
    const { seq, step, at, epoch } = this;
    return {
      metrics: this.metrics,
      rows: {
        ...{ seq: new Float64Array(seq), step: new Float64Array(step) },
        ...{ at: new Float64Array(at), epoch: new Float64Array(epoch) },
      },
      columns: this.columns.map((column) => new Float64Array(column)),
    };
  }
}

/** @param records by seq; one without values is kept, too, in a track without metrics */
export function toTracks(records: readonly MetricsRecord[]): Track<string>[] {
  const builders = new Map<string, TrackBuilder>();
  let last: TrackBuilder | undefined;
  for (const record of records) {
    // Nearly every record has the metrics of the one before it.
    if (last?.add(record)) continue;
    const names = Object.keys(record.values);
    const key = names.toSorted().join('\n');
    const known = builders.get(key);
    if (known?.add(record)) {
      last = known;
      continue;
    }
    last = known ?? new TrackBuilder(names);
    builders.set(key, last);
    // The same metrics in another order are put into the known one.
    const values = Object.fromEntries(last.metrics.map((name) => [name, record.values[name]!]));
    last.add({ ...record, values });
  }
  return [...builders.values()].map((builder) => builder.finish());
}

/** Only these records of a track; null when none are left. */
export function filterTrack<K>(track: Track<K>, keeps: (row: number) => boolean): Track<K> | null {
  const kept = [...track.rows.seq.keys()].filter(keeps);
  if (kept.length === 0) return null;
  const pick = (values: Float64Array) => Float64Array.from(kept, (i) => values[i]!);
  const { seq, step, at, epoch } = track.rows;
  return {
    metrics: track.metrics,
    rows: { seq: pick(seq), step: pick(step), at: pick(at), epoch: pick(epoch) },
    columns: track.columns.map(pick),
  };
}
