/** What each factor does, as text for papers and spreadsheets. */
import { type EffectRow, effectRows, intervalWords, pairWords, pWords, signed } from '@mealtable/protocol/effect-words';
import { TOP1_METRIC_WORDS, type Top1Metric } from '@mealtable/protocol/top1-metrics';
import type { StudyEffects } from '@mealtable/protocol/views';
import { cell, figure, NOTHING, sign, type TextCell, type TextTable, words } from './table-cells.ts';
import { csvTable } from './text-table.ts';

export interface EffectsCopy {
  effects: StudyEffects;
  metric: Top1Metric;
  decimals: number;
}

const orNothing = (value: number | null | undefined, write: (value: number) => string): string =>
  value == null ? '' : write(value);

export function effectsToCsv({ effects, metric, decimals }: EffectsCopy): string {
  const point = (value: number) => signed(value, decimals);
  const head = [
    ...['Kind', 'Factor', 'Level', 'Against', 'Metric', 'Effect', 'Std', 'Pairs', 'Pairs left out', 'Low', 'High', 'p'],
  ];
  const lines = effectRows(effects).map(({ kind, factor, level, against, difference }) => [
    kind,
    factor,
    level,
    against,
    TOP1_METRIC_WORDS[metric].column,
    orNothing(difference.mean, point),
    orNothing(difference.std, (std) => std.toFixed(decimals)),
    String(difference.n),
    String(difference.leftOut),
    orNothing(difference.interval?.low, point),
    orNothing(difference.interval?.high, point),
    orNothing(difference.p, (p) => String(Number(p.toPrecision(3)))),
  ]);
  return csvTable([head, ...lines]);
}

export const effectsCaption = (metric: Top1Metric): string =>
  [
    `Effects on top-1 in points, ${TOP1_METRIC_WORDS[metric].caption}: mean and sample standard deviation of the differences of runs`,
    'paired by all other levels and the seed, with the 95 % interval and the two-sided p of the paired t test over n pairs.',
  ].join(' ');

/** For Markdown and LaTeX; interactions below a rule of their own. */
export function effectsText({ effects, metric, decimals }: EffectsCopy): TextTable {
  const figureOr = (text: string): TextCell => (text === '' ? NOTHING : cell(figure(text)));
  const line = ({ factor, level, against, difference }: EffectRow) => [
    ...[factor, level, against].map((text) => cell(words(text))),
    figureOr(orNothing(difference.mean, (mean) => signed(mean, decimals))),
    figureOr(orNothing(difference.std, (std) => std.toFixed(decimals))),
    cell(words(pairWords(difference))),
    figureOr(difference.interval ? intervalWords(difference.interval, decimals) : ''),
    figureOr(orNothing(difference.p, pWords)),
  ];
  const rows = effectRows(effects);
  return {
    columns: 'lllrrrrr',
    head: [
      [
        ...['Factor', 'Level', 'Against', 'Effect', 'Std'].map((text) => cell(words(text))),
        cell(sign('n')),
        cell(words('95 % interval')),
        cell(sign('p')),
      ],
    ],
    groups: (['effect', 'interaction'] as const).map((kind) => rows.filter((row) => row.kind === kind).map(line)),
    notes: [],
    caption: [words(effectsCaption(metric))],
  };
}
