/** Live metric records of one run since its room was joined, for all of its series, and the rewinds that were heard of. */
import type { RunRecordsEvent, RunRewoundEvent } from '@mealtable/protocol/live-messages';
import type { RecordCursor } from '@mealtable/protocol/views';
import { fromWireNumber } from '@mealtable/protocol/wire-number';
import { isAfter } from '../run/record-order.ts';
import type { LivePoint } from './columns.ts';

type MetricsOf = Extract<RunRecordsEvent['records'][number], { kind: 'metrics' }>;
interface TailRecord extends RecordCursor, Pick<MetricsOf, 'step' | 'epoch' | 'at' | 'values'> {}
export type Rewind = Pick<RunRewoundEvent, 'attempt' | 'stepsCompleted'>;

/** Kept before the series are to be read again: records, and values in all of them, which are many where a record has thousands. */
const MAX_RECORDS = 4_000;
const MAX_VALUES = 200_000;

export const isUndone = (step: number, attempt: number, { attempt: by, stepsCompleted }: Rewind): boolean =>
  attempt < by && step > stepsCompleted;

export class RunTail {
  isJoined = false;
  /** Until then its room is waited for; by performance.now(). */
  waitUntil = 0;
  firstAt: number | null = null;
  readonly rewinds: Rewind[] = [];
  #records: TailRecord[] = [];
  /** Records up to here were dropped. */
  #dropped: RecordCursor | null = null;
  #newest: RecordCursor | null = null;
  #valueCount = 0;

  get isLong(): boolean {
    return this.#records.length > MAX_RECORDS || this.#valueCount > MAX_VALUES;
  }

  /** @returns the metrics that got points; `isLate`: some are of an attempt before the newest one, so no cursor can place them */
  add({ attempt, records }: RunRecordsEvent): { metrics: Set<string>; isLate: boolean } {
    const metrics = new Set<string>();
    const isLate = this.#newest !== null && attempt < this.#newest.attempt;
    for (const record of records) {
      const cursor = { attempt, seq: record.seq };
      if (!isAfter(cursor, this.#newest)) continue;
      this.#newest = cursor;
      if (record.kind !== 'metrics') continue;
      if (this.rewinds.some((rewind) => isUndone(record.step, attempt, rewind))) continue;
      this.#records.push({ ...cursor, step: record.step, epoch: record.epoch, at: record.at, values: record.values });
      this.noteFirst(record.at);
      for (const metric in record.values) {
        metrics.add(metric);
        this.#valueCount++;
      }
    }
    return { metrics, isLate };
  }

  noteFirst(at: number | undefined): void {
    if (at !== undefined && (this.firstAt === null || at < this.firstAt)) this.firstAt = at;
  }

  rewind({ attempt, stepsCompleted }: Rewind): void {
    if (this.rewinds.some((known) => known.attempt === attempt && known.stepsCompleted === stepsCompleted)) return;
    this.rewinds.push({ attempt, stepsCompleted });
    this.#records = this.#records.filter(
      (record) => !isUndone(record.step, record.attempt, { attempt, stepsCompleted }),
    );
  }

  /** @param after the newest record that the series holds */
  pointsOf(metric: string, after: RecordCursor | null): LivePoint[] {
    const points: LivePoint[] = [];
    for (let i = this.#indexAfter(after); i < this.#records.length; i++) {
      const { step, epoch, at, values } = this.#records[i] as TailRecord;
      const value = values[metric];
      if (value !== undefined) points.push({ step, epoch, at, value: fromWireNumber(value) });
    }
    return points;
  }

  /** Whether all records after the cursor that came since the room was joined are still here. */
  reaches(cursor: RecordCursor | null): boolean {
    return this.#dropped === null || (cursor !== null && !isAfter(this.#dropped, cursor));
  }

  /**
   * Keeps what the series that are shown still lack, unless that is far too much: then they have to be read again.
   * @param cursors of those series
   */
  dropBefore(cursors: readonly (RecordCursor | null)[]): void {
    const needed = Math.min(this.#records.length, ...cursors.map((cursor) => this.#indexAfter(cursor)));
    this.#drop(needed);
    if (this.#records.length > 2 * MAX_RECORDS || this.#valueCount > 2 * MAX_VALUES) this.#drop(this.#records.length);
  }

  #drop(count: number): void {
    const last = this.#records[count - 1];
    if (!last) return;
    this.#dropped = { attempt: last.attempt, seq: last.seq };
    this.#records = this.#records.slice(count);
    this.#valueCount = this.#records.reduce((sum, { values }) => sum + Object.keys(values).length, 0);
  }

  #indexAfter(cursor: RecordCursor | null): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isAfter(this.#records[middle] as TailRecord, cursor)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
