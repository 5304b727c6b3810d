/** What each factor does, as text for papers and spreadsheets. */
import { type EffectRow, effectRows, intervalWords, pairWords, pWords, signed } from '@mealtable/protocol/effect-words';
import type { StudyEffects } from '@mealtable/protocol/views';
import { csvTable, latexTabular, latexText, markdownTable, markdownText } from './text-table.ts';

const orNothing = (value: number | null | undefined, words: (value: number) => string): string =>
  value == null ? '' : words(value);
const fixed = (value: number): string => value.toFixed(2);

export function effectsToCsv(effects: StudyEffects): string {
  const head = ['Kind', 'Factor', 'Level', 'Against', 'Effect', 'Std', 'Pairs', 'Pairs left out', 'Low', 'High', 'p'];
  const lines = effectRows(effects).map(({ kind, factor, level, against, difference }) => [
    kind,
    factor,
    level,
    against,
    orNothing(difference.mean, signed),
    orNothing(difference.std, fixed),
    String(difference.n),
    String(difference.leftOut),
    orNothing(difference.interval?.low, signed),
    orNothing(difference.interval?.high, signed),
    orNothing(difference.p, (p) => String(Number(p.toPrecision(3)))),
  ]);
  return csvTable([head, ...lines]);
}

/** @param as how numbers are set; words are left as they are */
const figuresOf = ({ difference }: EffectRow, none: string, as: (figure: string) => string): string[] => [
  orNothing(difference.mean, (mean) => as(signed(mean))) || none,
  orNothing(difference.std, (std) => as(fixed(std))) || none,
  pairWords(difference),
  difference.interval ? as(intervalWords(difference.interval)) : none,
  orNothing(difference.p, (p) => as(pWords(p))) || none,
];

export function effectsToMarkdown(effects: StudyEffects): string {
  const head = ['Factor', 'Level', 'Against', 'Effect', 'Std', 'n', '95 % interval', 'p'];
  const body = effectRows(effects).map((row) => [
    ...[row.factor, row.level, row.against].map(markdownText),
    ...figuresOf(row, '–', (figure) => figure.replace('<', '\\<')),
  ]);
  return markdownTable(head, body, 3);
}

/** A tabular for the booktabs package; interactions below a rule of their own. */
export function effectsToLatex(effects: StudyEffects): string {
  const head = ['Factor', 'Level', 'Against', 'Effect', 'Std', '$n$', '95\\,\\% interval', '$p$'];
  const line = (row: EffectRow) => [
    ...[row.factor, row.level, row.against].map(latexText),
    ...figuresOf(row, '--', (figure) => `$${figure}$`),
  ];
  const rows = effectRows(effects);
  const groups = (['effect', 'interaction'] as const).map((kind) => rows.filter((row) => row.kind === kind).map(line));
  return latexTabular('lllrrrrr', head, groups);
}
