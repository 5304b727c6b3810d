/** A chart as a file. */

import { saveFile, svgToPng } from '../save-file.ts';
import type { SeriesLookup } from './build-lines.ts';
import { chartCsv } from './chart-csv.ts';
import type { LineGroup } from './chart-groups.ts';
import type { ChartLine } from './chart-line.ts';
import type { ChartPlot } from './chart-plot.ts';
import { chartFigure } from './figure-svg.ts';
import { BAND_WORDS } from './mean-curve.ts';
import type { ChartView } from './view-state.ts';

/** Of a picture, to a pixel of the page. */
const PIXELS_PER_UNIT = 2;

export type SavedAs = 'png' | 'svg' | 'csv';

interface SaveInput {
  metric: string;
  title: string;
  groups: readonly LineGroup[];
  lines: readonly ChartLine[];
  series: SeriesLookup;
  view: ChartView;
  plot: ChartPlot;
}

export async function saveChart(as: SavedAs, input: SaveInput): Promise<void> {
  const name = fileNameOf(input.title, as);
  if (as === 'csv') return saveFile(name, new Blob([chartCsv(input)], { type: 'text/csv;charset=utf-8' }));
  const { title, metric, lines, plot, view } = input;
  const shown = { x: plot.shown, y: plot.shownY };
  const note = figureNote(lines, view);
  const svg = chartFigure({ title, yTitle: metric, axis: view.axis, isLog: view.isLog, lines, shown, note });
  saveFile(name, as === 'png' ? await svgToPng(svg, PIXELS_PER_UNIT) : new Blob([svg], { type: 'image/svg+xml' }));
}

/** A metric's name as a file's. */
export const fileNameOf = (metric: string, ending: string): string =>
  `${
    metric
      .replace(/[^a-zA-Z0-9._-]+/g, '-')
      .replace(/^[.-]+|-+$/g, '')
      .slice(0, 100) || 'chart'
  }.${ending}`;

/** What a reader of the figure has to know of its lines. */
export function figureNote(lines: readonly ChartLine[], { group, band, smoothing }: ChartView): string {
  const notes: string[] = [];
  const counts = [...new Set(lines.flatMap(({ most }) => most ?? []))].sort((a, b) => a - b);
  if (group !== 'runs' && counts.length > 0) {
    const n = counts.length === 1 ? `n = ${counts[0]}` : `n = ${counts[0]} to ${counts.at(-1)}`;
    notes.push(`Mean over runs (${n})${band === 'none' ? '' : `, band: ${BAND_WORDS[band]}`}`);
    if (lines.some((line) => line.n?.some((at) => at < (line.most ?? 1))))
      notes.push('dotted where some runs have ended');
  }
  if (smoothing > 0) notes.push(`smoothed by ${smoothing} (time-weighted EMA)`);
  return notes.join('; ');
}
