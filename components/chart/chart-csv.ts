/** A chart's lines as a table for spreadsheets and programs: one row a point, or a place of a mean. */
import { csvLine } from '@mealtable/protocol/csv';
import type { SeriesLookup } from './build-lines.ts';
import type { LineGroup } from './chart-groups.ts';
import { type ChartLine, isRead } from './chart-line.ts';
import { BAND_WORDS } from './mean-curve.ts';
import type { ChartView } from './view-state.ts';

interface CsvInput {
  metric: string;
  groups: readonly LineGroup[];
  lines: readonly ChartLine[];
  series: SeriesLookup;
  view: Pick<ChartView, 'group' | 'axis' | 'band' | 'smoothing'>;
}
type Row = (string | number | null)[];

/** @returns runs as they were read (a bucket of points has its mean, extremes and count), means as they are drawn */
export function chartCsv(input: CsvInput): string {
  const rows = input.view.group === 'runs' ? runRows(input) : meanRows(input);
  return rows.map(csvLine).join('');
}

function runRows({ metric, groups, lines, series, view: { smoothing } }: CsvInput): Row[] {
  const head: Row = ['metric', 'run', 'label', 'seed', 'step', 'epoch', 'time', 'value', 'min', 'max', 'points'];
  const rows = groups.flatMap((group) => {
    const smoothed = smoothing === 0 ? undefined : lines.find((line) => line.id === group.key);
    return group.runs.flatMap((run) => {
      const columns = series.columns(run.id, metric);
      if (!columns) return [];
      const { epoch, at, value, min, max, count } = columns;
      return columns.step.map((step, i): Row => {
        const time = new Date(at[i] as number).toISOString();
        const row = [metric, run.id, run.variantLabel, run.seed, step, cellAt(epoch, i), time];
        row.push(cellAt(value, i), cellAt(min, i), cellAt(max, i), cellAt(count, i));
        return smoothing === 0 ? row : [...row, smoothed?.y[i] ?? null];
      });
    });
  });
  return [[...head, ...(smoothing === 0 ? [] : [`smoothed ${smoothing}`])], ...rows];
}
const cellAt = (column: readonly number[], i: number): number => column[i] as number;

function meanRows({ metric, lines, view: { axis, band, smoothing } }: CsvInput): Row[] {
  const edges = band === 'none' ? [] : [`low (${BAND_WORDS[band]})`, `high (${BAND_WORDS[band]})`];
  const mean = smoothing === 0 ? 'mean' : `mean, smoothed ${smoothing}`;
  const rows = lines.filter(isRead).flatMap((line) =>
    line.x.map((x, i): Row => {
      const row: Row = [metric, line.label ?? line.id, x, line.y[i] ?? null, line.n?.[i] ?? 1];
      return band === 'none' ? row : [...row, line.band?.low[i] ?? null, line.band?.high[i] ?? null];
    }),
  );
  return [['metric', 'line', axis, mean, 'n', ...edges], ...rows];
}
