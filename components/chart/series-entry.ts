/** One metric of one run in a page's store: what was read of it, and whether that is fine and new enough. */
import type { ChartSeries } from '@mealtable/protocol/chart-data';
import type { RecordCursor } from '@mealtable/protocol/views';
import { isAfter } from '../run/record-order.ts';
import { type Columns, cutAfter, type HeldSeries, mergeColumns, type Range, toHeldSeries } from './columns.ts';
import type { Rewind, RunTail } from './run-tail.ts';

/** Live points on top of what was read, after which it is read again: they cost more than buckets do. */
const MAX_LIVE = 800;
/** What was read is fine enough when it has this share of the wanted buckets. */
const FINE_ENOUGH = 0.6;

/** A little is read on both sides, so that a small move needs no reading. */
const MARGIN = 0.15;
const widened = ({ from, to }: Range): Range => {
  const margin = Math.ceil(MARGIN * (to - from));
  return { from: Math.max(0, from - margin), to: to + margin };
};

interface Part {
  range: Range | null;
  series: HeldSeries | null;
  /** Newest record in it. */
  through: RecordCursor | null;
  buckets: number;
}
export interface ReadPart {
  series: ChartSeries | null;
  through: RecordCursor | null;
  range: Range | null;
  buckets: number;
}

export class SeriesEntry {
  readonly runId: string;
  readonly metric: string;
  isStale = false;
  #whole: Part | null = null;
  #detail: Part | null = null;
  #wanted: Range | null = null;
  #isReading = false;
  #ticket = 0;
  #liveCount = 0;
  #merged: Columns | null = null;

  constructor(runId: string, metric: string) {
    this.runId = runId;
    this.metric = metric;
  }

  get isLoaded(): boolean {
    return this.#whole !== null;
  }
  /** The cursor that live records must be after to be missing in any part. */
  get through(): RecordCursor | null {
    const whole = this.#whole?.through ?? null;
    const detail = this.#detail?.through ?? null;
    return this.#detail && isAfter(whole as RecordCursor, detail) ? detail : whole;
  }
  /** What is to be read next: null for the whole, otherwise the range that is zoomed to. */
  get wantedRange(): Range | null {
    return this.#whole === null || this.isStale ? null : this.#wanted;
  }

  /** @param range of steps; null for no zoom */
  zoomTo(range: Range | null, buckets: number): void {
    // Raw points have no finer ones, and a range that is held finely enough already is not read again.
    const isFine = this.#whole?.series?.isRaw ?? false;
    this.#wanted = range && !isFine && !this.#holds(range, buckets) ? widened(range) : null;
  }

  #holds(range: Range, buckets: number): boolean {
    const detail = this.#detail;
    if (!detail?.range || detail.range.from > range.from || detail.range.to < range.to) return false;
    const share = (range.to - range.from) / Math.max(1, detail.range.to - detail.range.from);
    return (detail.series?.isRaw ?? true) || detail.buckets * share >= FINE_ENOUGH * buckets;
  }

  needsReading(buckets: number, tail: RunTail): boolean {
    if (this.#isReading) return false;
    if (this.#whole === null || this.isStale || this.#wanted !== null) return true;
    const { series, buckets: read } = this.#whole;
    if (series && !series.isRaw && read < FINE_ENOUGH * buckets) return true;
    return this.#liveCount > MAX_LIVE || !tail.reaches(this.#whole.through);
  }

  /** @returns the ticket that the reply is to be taken with */
  beginReading(): number {
    this.#isReading = true;
    if (this.wantedRange === null) this.isStale = false;
    return ++this.#ticket;
  }

  failReading(): void {
    this.#isReading = false;
    this.isStale = this.#whole !== null;
  }

  /** @returns whether it changed anything; the reply to an older question does not */
  take(ticket: number, { series, through, range, buckets }: ReadPart): boolean {
    if (ticket !== this.#ticket) return false;
    this.#isReading = false;
    const part: Part = { range, series: series && toHeldSeries(series), through, buckets };
    if (range === null) {
      this.#whole = part;
      // What was read of a range before may lack what a rewind or a gap changed.
      this.#detail = null;
    } else this.#detail = part;
    this.touch();
    return true;
  }

  /** Points of attempts before `attempt` beyond its start never happened; a part with newer records was read without them. */
  rewind({ attempt, stepsCompleted }: Rewind): void {
    for (const part of [this.#whole, this.#detail]) {
      if (!part?.series || (part.through !== null && part.through.attempt >= attempt)) continue;
      const { series, cut } = cutAfter(part.series, stepsCompleted);
      if (series === part.series) continue;
      part.series = series;
      if (cut) this.isStale = true;
      this.touch();
    }
  }

  /** Read again before it is shown. */
  forget(): void {
    this.isStale = this.#whole !== null;
  }

  /** Its columns are to be put together anew. */
  touch(): void {
    this.#merged = null;
  }

  columns(tail: RunTail): Columns {
    if (this.#merged) return this.#merged;
    const detail = this.#detail;
    let live = tail.pointsOf(this.metric, this.#whole?.through ?? null);
    if (detail?.range) {
      const { from, to } = detail.range;
      const inDetail = tail.pointsOf(this.metric, detail.through).filter(({ step }) => step >= from && step <= to);
      live = [...live.filter(({ step }) => step < from || step > to), ...inDetail];
    }
    this.#liveCount = live.length;
    this.#merged = mergeColumns(
      this.#whole?.series ?? null,
      detail?.range ? { range: detail.range, series: detail.series } : null,
      live,
    );
    return this.#merged;
  }
}
