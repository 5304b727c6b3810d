/** The top-1 table as text for papers and spreadsheets: the numbers as shown, in the same order, the published result set apart. */
import { intervalWords, pWords, signed } from '@mealtable/protocol/effect-words';
import { type PublishedStudyName, publishedStudy } from '@mealtable/protocol/published-studies';
import { gigaMacs } from '@mealtable/protocol/registry';
import { discriminatorWord } from '@mealtable/protocol/study-choices';
import { hasBestEpoch, TOP1_METRIC_WORDS, type Top1Metric } from '@mealtable/protocol/top1-metrics';
import type { Top1Row } from '@mealtable/protocol/views';
import { HOURS_WORDS, hoursSpread, imagesSpread, millionsWords, type SlotKind, type VariantCost } from './costs.ts';
import { cell, figure, NOTHING, type Part, sign, type TextCell, type TextTable, words } from './table-cells.ts';
import type { CostName } from './table-view.ts';
import { captionWords, countWords, NOISE_NOTE, publishedName, roleWords, unfinishedWords } from './table-words.ts';
import { otherLevels, teacherNames } from './teacher-names.ts';
import { csvTable } from './text-table.ts';

/** What is copied of a study. */
export interface Top1Copy {
  rows: readonly Top1Row[];
  metric: Top1Metric;
  /** Of percents and differences. */
  decimals: number;
  /** Whose published result stands below the study's own. */
  reproduces: PublishedStudyName | undefined;
  /** Null while nothing is known of them. */
  costs: TableCosts | null;
}
export interface TableCosts {
  names: readonly CostName[];
  slots: SlotKind;
  of: (row: Top1Row) => VariantCost;
}

export const referenceLabel = (rows: readonly Top1Row[]): string | null =>
  rows.find((row) => row.isReference)?.label ?? null;
const discriminatorOf = (row: Top1Row): string => (row.levels ? discriminatorWord(row.levels.discriminator) : '');
const nameOf = (row: Top1Row): string => [teacherNames(row) ?? row.label, ...otherLevels(row)].join(' · ');
const markOf = ({ isBest, isWithinNoiseOfBest }: Top1Row): string =>
  isBest ? 'best' : isWithinNoiseOfBest ? 'within noise of best' : '';
const orEmpty = <T>(value: T | null | undefined, write: (value: T) => string): string =>
  value === null || value === undefined ? '' : write(value);
const plain = (value: number): string => String(Number(value.toPrecision(6)));

const CSV_COSTS: Record<CostName, { head: (slots: SlotKind) => string[]; cells: (cost: VariantCost) => string[] }> = {
  hours: {
    head: (slots) => [
      `${HOURS_WORDS[slots]} per run mean`,
      `${HOURS_WORDS[slots]} per run std`,
      `${HOURS_WORDS[slots]} of all runs`,
      'Attempts of all runs',
    ],
    cells: ({ hours, total }) => [
      orEmpty(hours?.mean, plain),
      orEmpty(hours?.std, plain),
      total.attempts === 0 ? '' : plain(total.hours),
      String(total.attempts),
    ],
  },
  parameters: { head: () => ['Parameters'], cells: ({ parameters }) => [orEmpty(parameters, String)] },
  macs: { head: () => ['MACs per image'], cells: ({ macs }) => [orEmpty(macs, String)] },
  images: {
    head: () => ['Training images per second mean', 'Training images per second std'],
    cells: ({ imagesPerS }) => [orEmpty(imagesPerS?.mean, plain), orEmpty(imagesPerS?.std, plain)],
  },
};

/** One line per variant with every seed's value in a column of its own; failed or missing ones are empty and counted. */
export function toCsv({ rows, metric, decimals, reproduces, costs }: Top1Copy): string {
  const seeds = [...new Set(rows.flatMap((row) => row.values.map(({ seed }) => seed)))].sort((a, b) => a - b);
  const fixed = (value: number) => value.toFixed(decimals);
  const point = (value: number) => signed(value, decimals);
  const names = costs?.names ?? [];
  const head = [
    ...['Role', 'Variant', 'Teachers', 'Discriminator', 'Input size', 'Metric', 'n', 'Runs', 'Without a result'],
    ...[
      'Top-1 mean',
      'Top-1 std',
      'Best epoch',
      'Mark',
      'Difference',
      'Difference low',
      'Difference high',
      'p',
      'Pairs',
    ],
    ...names.flatMap((name) => CSV_COSTS[name].head(costs!.slots)),
    ...seeds.map((seed) => `Seed ${seed}`),
  ];
  const lines = rows.map((row) => [
    ...[roleWords(row.role), row.label, teacherNames(row) ?? '', discriminatorOf(row), String(row.inputSize)],
    ...[TOP1_METRIC_WORDS[metric].column, String(row.n), String(row.values.length), unfinishedWords(row)],
    ...[orEmpty(row.mean, fixed), orEmpty(row.std, fixed), orEmpty(row.bestEpoch, String)],
    row.isReference ? 'reference' : markOf(row),
    orEmpty(row.difference?.mean, point),
    orEmpty(row.difference?.interval?.low, point),
    orEmpty(row.difference?.interval?.high, point),
    orEmpty(row.difference?.p, (p) => String(Number(p.toPrecision(3)))),
    orEmpty(row.difference?.n, String),
    ...names.flatMap((name) => CSV_COSTS[name].cells(costs!.of(row))),
    ...seeds.map((seed) => {
      const value = row.values.find((candidate) => candidate.seed === seed);
      return value?.status === 'succeeded' ? orEmpty(value.top1, fixed) : '';
    }),
  ]);
  if (reproduces !== undefined) {
    const { teachers, inputSize, top1 } = publishedStudy(reproduces);
    const cells = ['published', publishedName(reproduces), teachers.join(' + '), 'on', String(inputSize)];
    const figures = ['top-1 as published', '', '', '', fixed(top1)];
    lines.push([...cells, ...figures, ...head.slice(cells.length + figures.length).map(() => '')]);
  }
  return csvTable([head, ...lines]);
}

/** Mean ± std, the best one bold, those within its noise with a dagger; without a result the reason. */
export function top1Parts(row: Top1Row, decimals: number): Part[] {
  if (row.mean === null) return [words(unfinishedWords(row) || 'no runs', true)];
  const mean = figure(row.mean.toFixed(decimals), row.isBest);
  return [
    mean,
    ...(row.std === null ? [] : [sign('±'), figure(row.std.toFixed(decimals))]),
    ...(row.isWithinNoiseOfBest ? [sign('†')] : []),
  ];
}

const spreadCell = (spread: [mean: string, std: string | null] | null): TextCell => {
  if (spread === null) return NOTHING;
  const [mean, std] = spread;
  return std === null ? cell(figure(mean)) : cell(figure(mean), sign('±'), figure(std));
};
const figureCell = (text: string | null): TextCell => (text === null ? NOTHING : cell(figure(text)));

const COST_CELLS: Record<CostName, { head: (slots: SlotKind) => string; cell: (cost: VariantCost) => TextCell }> = {
  hours: { head: (slots) => HOURS_WORDS[slots], cell: ({ hours }) => spreadCell(hours && hoursSpread(hours)) },
  parameters: {
    head: () => 'Params (M)',
    cell: ({ parameters }) => figureCell(parameters === null ? null : millionsWords(parameters)),
  },
  macs: { head: () => 'GMACs', cell: ({ macs }) => figureCell(macs === null ? null : gigaMacs(macs)) },
  images: {
    head: () => 'Images/s',
    cell: ({ imagesPerS }) => spreadCell(imagesPerS && imagesSpread(imagesPerS)),
  },
};

/** What the chosen cost columns count, for captions. */
export function costWords(names: readonly CostName[], slots: SlotKind): string[] {
  const says: Record<CostName, string> = {
    hours: `${HOURS_WORDS[slots]} are those of a run, all of its attempts; its teachers’ are not in them.`,
    parameters: 'Parameters are the trainable ones.',
    macs: 'GMACs are of one forward pass of one image.',
    images: 'Images/s is each run’s median in training.',
  };
  return names.map((name) => says[name]);
}

/** The table for Markdown and LaTeX. */
export function top1Text({ rows, metric, decimals, reproduces, costs }: Top1Copy): TextTable {
  const names = costs?.names ?? [];
  const hasEpoch = hasBestEpoch(metric);
  const body = rows.map((row) => [
    cell(words(nameOf(row))),
    row.levels ? cell(words(discriminatorOf(row))) : NOTHING,
    cell(words(String(row.inputSize))),
    cell(words(countWords(row))),
    cell(...top1Parts(row, decimals)),
    ...(hasEpoch ? [row.bestEpoch === null ? NOTHING : cell(words(String(row.bestEpoch)))] : []),
    row.isReference
      ? cell(words('reference'))
      : figureCell(orEmpty(row.difference?.mean, (d) => signed(d, decimals)) || null),
    figureCell(row.difference?.interval ? intervalWords(row.difference.interval, decimals) : null),
    figureCell(row.difference?.p == null ? null : pWords(row.difference.p)),
    ...names.map((name) => COST_CELLS[name].cell(costs!.of(row))),
  ]);
  const head = [
    ...['Teachers or network', 'Discriminator', 'Input'].map((text) => cell(words(text))),
    cell(sign('n')),
    cell(words('Top-1 (%)')),
    ...(hasEpoch ? [cell(words('Best epoch'))] : []),
    cell(sign('Δ')),
    cell(words('95 % interval')),
    cell(sign('p')),
    ...names.map((name) => cell(words(COST_CELLS[name].head(costs!.slots)))),
  ];
  const published = reproduces && publishedStudy(reproduces);
  const apart = published && [
    cell(words(publishedName(reproduces), true)),
    cell(words('on')),
    cell(words(String(published.inputSize))),
    NOTHING,
    cell(figure(published.top1.toFixed(decimals))),
    ...Array.from({ length: head.length - 5 }, () => NOTHING),
  ];
  const caption = [captionWords(metric, referenceLabel(rows)), ...costWords(names, costs?.slots ?? 'gpu')].join(' ');
  return {
    columns: `ll${'r'.repeat(head.length - 2)}`,
    head: [head],
    groups: [body, apart ? [apart] : []],
    notes: rows.some((row) => row.isWithinNoiseOfBest) ? [[sign('†'), words(NOISE_NOTE)]] : [],
    caption: [words(caption)],
  };
}
