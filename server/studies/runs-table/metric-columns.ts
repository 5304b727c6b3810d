/** Columns of metrics, loaded when somebody first looks at the metric: a run may have thousands, and a table shows a few. */
import type { MetricSummary } from '@mealtable/protocol/chart-data';
import { fromWireNumber } from '@mealtable/protocol/wire-number';
import { makeColumn, type NumberColumn, setCell } from './columns.ts';
import { type MetricPart, type RunMetricSummary, STORED_SUMMARIES, type StoredSummary } from './load-summaries.ts';

type Stored = StoredSummary;
const VALUES: Record<Stored, (summary: MetricSummary) => number | null> = {
  points: ({ points }) => points,
  last: ({ last }) => fromWireNumber(last),
  lastStep: ({ lastStep }) => lastStep,
  lastEpoch: ({ lastEpoch }) => lastEpoch,
  min: ({ min }) => (min === null ? null : fromWireNumber(min)),
  minStep: ({ minStep }) => minStep,
  minEpoch: ({ minEpoch }) => minEpoch,
  max: ({ max }) => (max === null ? null : fromWireNumber(max)),
  maxStep: ({ maxStep }) => maxStep,
  maxEpoch: ({ maxEpoch }) => maxEpoch,
};

/** Metrics of one study kept at most: about 900 bytes a run for ten of them. The one asked for longest ago goes first. */
const MAX_METRICS = 120;

export class MetricColumns {
  private readonly rows: number;
  private readonly columns = new Map<string, Record<Stored, NumberColumn>>();

  constructor(rows: number) {
    this.rows = rows;
  }

  loaded(): string[] {
    return [...this.columns.keys()];
  }
  missing(metrics: Iterable<string>): string[] {
    return [...new Set(metrics)].filter((metric) => !this.columns.has(metric));
  }

  /** @param wanted kept, whatever their number: the answer that is being made needs them */
  add(
    metric: string,
    { lagging, parts }: { lagging: readonly RunMetricSummary[]; parts: readonly MetricPart[] },
    rowOf: ReadonlyMap<string, number>,
    wanted: ReadonlySet<string>,
  ) {
    const columns = Object.fromEntries(
      STORED_SUMMARIES.map((stored) => [stored, makeColumn('number', this.rows)]),
    ) as Record<Stored, NumberColumn>;
    this.columns.set(metric, columns);
    for (const part of parts) fill(columns, part, rowOf);
    for (const summary of lagging) this.write(columns, rowOf.get(summary.runId), summary);
    for (const old of this.columns.keys()) {
      if (this.columns.size <= MAX_METRICS) break;
      if (!wanted.has(old)) this.columns.delete(old);
    }
  }

  /** What these rows have now; a metric that a run has no more is emptied. */
  renew(rows: Iterable<number>, summaries: readonly RunMetricSummary[], rowOf: ReadonlyMap<string, number>): void {
    for (const row of rows)
      for (const columns of this.columns.values()) for (const stored of STORED_SUMMARIES) columns[stored].has[row] = 0;
    for (const summary of summaries) {
      const columns = this.columns.get(summary.name);
      if (columns) this.write(columns, rowOf.get(summary.runId), summary);
    }
  }

  /** @throws when it was not loaded before */
  get(metric: string, stored: Stored): NumberColumn {
    const columns = this.columns.get(metric);
    if (!columns) throw new Error(`The metric ${metric} is not loaded.`);
    // The newest use last: what is dropped is what nobody looks at.
    this.columns.delete(metric);
    this.columns.set(metric, columns);
    return columns[stored];
  }

  private write(columns: Record<Stored, NumberColumn>, row: number | undefined, summary: RunMetricSummary): void {
    if (row === undefined) return;
    for (const stored of STORED_SUMMARIES) setCell(columns[stored], row, VALUES[stored](summary));
  }
}

function fill(columns: Record<Stored, NumberColumn>, part: MetricPart, rowOf: ReadonlyMap<string, number>): void {
  const rows = part.runIds.map((id) => rowOf.get(id) ?? -1);
  for (const stored of STORED_SUMMARIES) {
    const { values, has } = columns[stored];
    const read = part.columns[stored];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      if (row < 0 || (stored !== 'last' && Number.isNaN(read[i]!))) continue;
      values[row] = read[i]!;
      has[row] = 1;
    }
  }
}
