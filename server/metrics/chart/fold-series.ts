/** Points and rollups of one series, by step, to what a chart draws: the points themselves, or buckets that keep every extreme. */
import type { ChartSeries } from '@mealtable/protocol/chart-data';
import { toWireNumber } from '@mealtable/protocol/wire-number';

/**
 * Steps of a bucket: 1, 2, 3, 4, 6, 8, 12... Few widths, and buckets that begin at multiples of them, so that those of runs of a
 * study match and a longer run keeps its old ones.
 */
export function bucketWidth(steps: number, buckets: number): number {
  for (let width = 1; ; width *= 2) {
    if (steps / width <= buckets) return width;
    if (width >= 2 && steps / (1.5 * width) <= buckets) return 1.5 * width;
  }
}

/** Columns of entries by step, each of one point or of several that follow each other. */
export interface Entries {
  /** Of its first record: the order among equal steps. */
  attempt: number;
  seq: number;
  /** Step, epoch and time (ms) of the last point. */
  step: Float64Array;
  epoch: Float64Array;
  at: Float64Array;
  last: Float64Array;
  /** Null where each entry is one point, `last`. */
  rollups: Rollups | null;
}
export interface Rollups {
  firstStep: Float64Array;
  count: Float64Array;
  /** How many of the values are finite, and their mean. */
  finite: Float64Array;
  mean: Float64Array;
  /** NaN where every value is. */
  min: Float64Array;
  max: Float64Array;
  first: Float64Array;
}

type Columns = Omit<ChartSeries, 'runId' | 'metric' | 'isRaw' | 'points'>;

const emptyColumns = (): Columns => ({
  ...{ step: [], epoch: [], at: [], value: [], min: [], max: [], first: [], last: [], firstStep: [], count: [] },
});

/** @param parts of single points, all of them by step */
export function toRawColumns(parts: readonly Entries[]): Columns {
  const columns = emptyColumns();
  for (const { step, epoch, at, last } of parts)
    for (let i = 0; i < step.length; i++) {
      columns.step.push(step[i]!);
      columns.epoch.push(epoch[i]!);
      columns.at.push(at[i]!);
      columns.value.push(toWireNumber(last[i]!));
    }
  return columns;
}

/** @param parts all of them by step; an entry that reaches into the next bucket counts to that one */
export function toBuckets(parts: readonly Entries[], width: number): Columns {
  const bucket = new Bucket(width);
  for (const { step, epoch, at, last, rollups } of parts)
    for (let i = 0; i < step.length; i++) {
      bucket.moveTo(step[i]!, epoch[i]!, at[i]!);
      if (rollups === null) bucket.addPoint(last[i]!);
      else bucket.addRollup(rollups, i, last[i]!);
    }
  return bucket.finish();
}

/** The bucket that is being filled, and those that are full. */
class Bucket {
  readonly #width: number;
  readonly #columns = emptyColumns();
  /** The first step that is beyond it. */
  #end = Number.NEGATIVE_INFINITY;
  #step = 0;
  #epoch = 0;
  #at = 0;
  #firstStep = 0;
  #count = 0;
  #finite = 0;
  #sum = 0;
  #min = Number.NaN;
  #max = Number.NaN;
  #first = 0;
  #last = 0;

  constructor(width: number) {
    this.#width = width;
  }

  moveTo(step: number, epoch: number, at: number): void {
    if (step >= this.#end) {
      this.#close();
      this.#end = (Math.floor(step / this.#width) + 1) * this.#width;
    }
    this.#step = step;
    this.#epoch = epoch;
    this.#at = at;
  }

  addPoint(value: number): void {
    this.#begin(this.#step, value);
    this.#count++;
    this.#last = value;
    if (value - value === 0) {
      this.#finite++;
      this.#sum += value;
    }
    this.#widen(value, value);
  }

  addRollup({ firstStep, count, finite, mean, min, max, first }: Rollups, i: number, last: number): void {
    this.#begin(firstStep[i]!, first[i]!);
    this.#count += count[i]!;
    this.#last = last;
    if (finite[i]! > 0) {
      this.#finite += finite[i]!;
      this.#sum += mean[i]! * finite[i]!;
    }
    this.#widen(min[i]!, max[i]!);
  }

  /** Entries are in the order of their last steps; where two tracks interleave an earlier first step may come second. */
  #begin(firstStep: number, first: number): void {
    if (this.#count > 0 && firstStep >= this.#firstStep) return;
    this.#firstStep = firstStep;
    this.#first = first;
  }

  /** Not Math.min: NaN is no value here, and takes no part. */
  #widen(min: number, max: number): void {
    if (!(this.#min <= min) && !Number.isNaN(min)) this.#min = min;
    if (!(this.#max >= max) && !Number.isNaN(max)) this.#max = max;
  }

  #close(): void {
    if (this.#count === 0) return;
    const columns = this.#columns;
    columns.step.push(this.#step);
    columns.epoch.push(this.#epoch);
    columns.at.push(this.#at);
    columns.firstStep.push(this.#firstStep);
    columns.count.push(this.#count);
    columns.value.push(toWireNumber(this.#finite === 0 ? Number.NaN : this.#sum / this.#finite));
    columns.min.push(toWireNumber(this.#min));
    columns.max.push(toWireNumber(this.#max));
    columns.first.push(toWireNumber(this.#first));
    columns.last.push(toWireNumber(this.#last));
    [this.#count, this.#finite, this.#sum] = [0, 0, 0];
    [this.#min, this.#max] = [Number.NaN, Number.NaN];
  }

  finish(): Columns {
    this.#close();
    return this.#columns;
  }
}
