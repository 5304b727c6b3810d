/** The study's lines: one per run, or one per variant with the spread over its seeds. */
import type { RunSummaryView, Top1Row } from '@mealtable/protocol/views';
import type { ChartLine } from '../chart/align-lines.ts';
import { drawable, placesOf, type XAxis } from '../chart/axes.ts';
import { meanCurve } from '../chart/mean-curve.ts';
import type { MetricBuffer } from '../run/metric-buffer.ts';

export interface CurveInput {
  rows: readonly Top1Row[];
  runs: readonly RunSummaryView[];
  bufferOf: (runId: string) => MetricBuffer | undefined;
  metric: string;
  axis: XAxis;
  hidden: ReadonlySet<string>;
  /** The variant under the pointer; the others step back. */
  focused: string | null;
}

/** A variant's colour is its place in the table. */
export const colorsOf = (rows: readonly Top1Row[]): Map<string, number> =>
  new Map(rows.map((row, index) => [row.variantId, index]));

const isDimmed = ({ focused }: CurveInput, variantId: string) => focused !== null && focused !== variantId;

/** @returns lines whose ids are run ids */
export function runLines(input: CurveInput): ChartLine[] {
  const colors = colorsOf(input.rows);
  return input.runs.flatMap((run) => {
    const series = input.hidden.has(run.variantId) ? undefined : input.bufferOf(run.id)?.series(input.metric);
    if (!series) return [];
    return {
      id: run.id,
      x: [...placesOf(series, input.axis)],
      y: drawable(series.value, false),
      color: colors.get(run.variantId) ?? 0,
      isDimmed: isDimmed(input, run.variantId),
    };
  });
}

/** @returns lines whose ids are variant ids; runs that failed or were cancelled are left out of the means */
export function variantLines(input: CurveInput): ChartLine[] {
  const colors = colorsOf(input.rows);
  return input.rows.flatMap((row) => {
    if (input.hidden.has(row.variantId)) return [];
    const curves = input.runs
      .filter((run) => run.variantId === row.variantId && run.status !== 'failed' && run.status !== 'cancelled')
      .flatMap((run) => {
        const series = input.bufferOf(run.id)?.series(input.metric);
        return series ? { x: placesOf(series, input.axis), y: series.value } : [];
      });
    const mean = meanCurve(curves);
    if (mean.x.length === 0) return [];
    return {
      id: row.variantId,
      x: mean.x,
      y: mean.mean,
      color: colors.get(row.variantId) ?? 0,
      isDimmed: isDimmed(input, row.variantId),
      ...(mean.n > 1 && { band: { low: mean.low, high: mean.high } }),
    };
  });
}
