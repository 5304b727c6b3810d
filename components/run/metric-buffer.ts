/**
 * A run's metric points in the browser: pages of the past and live batches become one series per metric.
 *
 * The order that makes it complete: join the run's room, then page from the cursor. Live batches that arrive while
 * pages are still missing wait aside; when the last page is in, those above the cursor are added and the rest, which
 * the pages already held, is dropped. After a lost connection `beginCatchUp` starts the same again from the cursor.
 *
 * A resumed attempt goes back to a checkpoint: earlier attempts' points beyond it never happened. Every rewind is
 * remembered, because a page that was read before it may arrive after it.
 */
import type { RunRecordsEvent, RunRewoundEvent } from '@mealtable/protocol/live-messages';
import type { MetricPage, RecordCursor } from '@mealtable/protocol/views';
import { fromWireNumber, type WireNumber } from '@mealtable/protocol/wire-number';
import { isAfter } from './record-order.ts';

type Point = MetricPage['points'][number];
type Rewind = Pick<RunRewoundEvent, 'attempt' | 'stepsCompleted'>;

/** Columns of one metric, in order; `attempt` says which attempt a point is of. Not to be changed by readers. */
export interface MetricSeries {
  step: number[];
  epoch: number[];
  at: number[];
  attempt: number[];
  value: number[];
}

const emptySeries = (): MetricSeries => ({ step: [], epoch: [], at: [], attempt: [], value: [] });

export class MetricBuffer {
  private readonly byMetric = new Map<string, MetricSeries>();
  private readonly keeps: (metric: string) => boolean;
  private rewinds: Rewind[] = [];
  private waiting: RunRecordsEvent[] = [];
  private newest: RecordCursor | null = null;
  private caughtUp = false;
  private changes = 0;

  /** @param keeps which metrics to hold; all by default */
  constructor(keeps: (metric: string) => boolean = () => true) {
    this.keeps = keeps;
  }

  /** Everything up to here is held: where the next page starts. */
  get cursor(): RecordCursor | null {
    return this.newest;
  }
  /** The past is complete; live batches are added as they come. */
  get isCaughtUp(): boolean {
    return this.caughtUp;
  }
  /** Grows with every change of a series. */
  get version(): number {
    return this.changes;
  }

  metrics(): string[] {
    return [...this.byMetric.keys()];
  }

  series(metric: string): MetricSeries | undefined {
    return this.byMetric.get(metric);
  }

  /** Call when live batches may have been missed, before paging on from `cursor`. */
  beginCatchUp(): void {
    this.caughtUp = false;
  }

  /** @param page read with `after: cursor`; its last one (`next` null) ends the catching up */
  addPage(page: MetricPage): void {
    for (const point of page.points) this.add(point);
    if (page.next !== null) {
      this.advance(page.next);
      return;
    }
    this.caughtUp = true;
    const waiting = this.waiting;
    this.waiting = [];
    for (const event of waiting) this.addLive(event);
  }

  addLive(event: RunRecordsEvent): void {
    if (!this.caughtUp) {
      this.waiting.push(event);
      return;
    }
    for (const record of event.records) {
      if (record.kind === 'metrics') this.add({ attempt: event.attempt, ...record });
      else this.advance({ attempt: event.attempt, seq: record.seq });
    }
  }

  /** Drops points of attempts before `attempt` whose step lies beyond its start. */
  rewind({ attempt, stepsCompleted }: Rewind): void {
    if (this.rewinds.some((known) => known.attempt === attempt && known.stepsCompleted === stepsCompleted)) return;
    this.rewinds.push({ attempt, stepsCompleted });
    for (const [metric, series] of this.byMetric) {
      const kept = keepAgainst(series, { attempt, stepsCompleted });
      if (kept === series) continue;
      this.changes++;
      if (kept.step.length === 0) this.byMetric.delete(metric);
      else this.byMetric.set(metric, kept);
    }
  }

  private add(point: Point): void {
    if (!isAfter(point, this.newest)) return;
    this.advance(point);
    const { attempt, step, epoch, at, values } = point;
    if (this.rewinds.some((rewind) => attempt < rewind.attempt && step > rewind.stepsCompleted)) return;
    for (const metric in values) {
      if (!this.keeps(metric)) continue;
      let series = this.byMetric.get(metric);
      if (!series) {
        series = emptySeries();
        this.byMetric.set(metric, series);
      }
      series.step.push(step);
      series.epoch.push(epoch);
      series.at.push(at);
      series.attempt.push(attempt);
      series.value.push(fromWireNumber(values[metric] as WireNumber));
      this.changes++;
    }
  }

  private advance({ attempt, seq }: RecordCursor): void {
    if (isAfter({ attempt, seq }, this.newest)) this.newest = { attempt, seq };
  }
}

/** @returns the same object when nothing has to go */
function keepAgainst(series: MetricSeries, { attempt, stepsCompleted }: Rewind): MetricSeries {
  const goes = (i: number) => (series.attempt[i] ?? 0) < attempt && (series.step[i] ?? 0) > stepsCompleted;
  if (!series.step.some((_, i) => goes(i))) return series;
  const kept = emptySeries();
  for (const column of Object.keys(kept) as (keyof MetricSeries)[])
    kept[column] = series[column].filter((_, i) => !goes(i));
  return kept;
}
