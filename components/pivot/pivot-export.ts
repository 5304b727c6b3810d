/** A pivot as text for papers and spreadsheets: the numbers as shown, in the same order, what is no cell of it set apart. */
import { intervalWords, pWords, signed } from '@mealtable/protocol/effect-words';
import { FACTOR_WORDS } from '@mealtable/protocol/factor-levels';
import { type PublishedStudyName, publishedStudy } from '@mealtable/protocol/published-studies';
import { TOP1_METRIC_WORDS, type Top1Metric } from '@mealtable/protocol/top1-metrics';
import type { Top1Row } from '@mealtable/protocol/views';
import {
  BLANK,
  cell,
  figure,
  type Part,
  sign,
  type TextCell,
  type TextLine,
  type TextTable,
  words,
} from '../study/table-cells.ts';
import { top1Parts } from '../study/table-export.ts';
import { captionWords, countWords, NOISE_NOTE, publishedName, unfinishedWords } from '../study/table-words.ts';
import { csvTable } from '../study/text-table.ts';
import { mergeCells, type Pivot, spansOf } from './build-pivot.ts';
import { heldWords, levelHeading } from './pivot-words.ts';

export interface PivotCopy {
  pivot: Pivot;
  metric: Top1Metric;
  decimals: number;
  /** Also the differences to the reference. */
  differences: boolean;
  reproduces: PublishedStudyName | undefined;
}

/** One line per row of the pivot, several columns per column of it; whatever reaches over several columns stands in each. */
export function pivotToCsv({ pivot, metric, decimals, differences, reproduces }: PivotCopy): string {
  const { axes, columns, rows, alone, teachers } = pivot;
  const figures = ['mean', 'std', 'n', 'runs', 'without a result', 'mark'];
  const compared = differences ? ['difference', 'difference low', 'difference high', 'p', 'pairs'] : [];
  const names = [...figures, ...compared];
  const fixed = (value: number | null | undefined) => (value == null ? '' : value.toFixed(decimals));
  const point = (value: number | null | undefined) => (value == null ? '' : signed(value, decimals));
  const cellsOf = (row: Top1Row | null): string[] => {
    if (row === null) return names.map(() => '');
    const { mean, std, n, values, difference } = row;
    const mark = row.isReference
      ? 'reference'
      : row.isBest
        ? 'best'
        : row.isWithinNoiseOfBest
          ? 'within noise of best'
          : '';
    const own = [fixed(mean), fixed(std), String(n), String(values.length), unfinishedWords(row), mark];
    if (!differences) return own;
    const { interval, p } = difference ?? {};
    const test = [point(interval?.low), point(interval?.high), p == null ? '' : String(Number(p.toPrecision(3)))];
    return [...own, point(difference?.mean), ...test, difference === null ? '' : String(difference.n)];
  };
  const heads = columns.map(({ levels }) =>
    ['Top-1', ...levels.map((level, i) => levelHeading(axes.columns[i]!.name, level))].join(' · '),
  );
  const held = axes.held.map(({ factor, level }) => [FACTOR_WORDS[factor.name], level.words] as const);
  const first = Math.max(1, axes.rows.length);
  const rowHeads = Array.from({ length: first }, (_, i) =>
    axes.rows[i] ? FACTOR_WORDS[axes.rows[i].name] : 'Variant',
  );
  const named = (text: string) => [text, ...Array.from({ length: first - 1 }, () => '')];
  const kind = TOP1_METRIC_WORDS[metric].column;
  const noHeld = held.map(() => '');
  const body = [
    ...rows.map(({ levels, cells }) => [
      ...['distilled', ...(levels.length > 0 ? levels.map((level) => level.words) : ['all'])],
      ...[...held.map(([, level]) => level), kind, ...cells.flatMap(cellsOf)],
    ]),
    ...alone.map(({ label, cells }) => ['student alone', ...named(label), ...noHeld, kind, ...cells.flatMap(cellsOf)]),
    ...teachers.map((row) => ['teacher', ...named(row.label), ...noHeld, kind, ...columns.flatMap(() => cellsOf(row))]),
  ];
  if (reproduces !== undefined) {
    const { top1 } = publishedStudy(reproduces);
    const cells = columns.flatMap(() => names.map((name) => (name === 'mean' ? fixed(top1) : '')));
    body.push(['published', ...named(publishedName(reproduces)), ...noHeld, 'top-1 as published', ...cells]);
  }
  const head = ['Role', ...rowHeads, ...held.map(([name]) => name), 'Metric'];
  return csvTable([[...head, ...heads.flatMap((text) => names.map((name) => `${text} ${name}`))], ...body]);
}

/** The pivot for Markdown and LaTeX. */
export function pivotText(copy: PivotCopy): TextTable {
  const { pivot, metric, decimals, differences, reproduces } = copy;
  const { axes, columns, rows, alone, teachers } = pivot;
  const heads = Math.max(1, axes.rows.length);
  const over = (text: string, isItalic = false): TextCell => ({
    ...cell(words(text, isItalic)),
    span: heads,
    align: 'l',
  });
  const wide = (...parts: Part[]): TextCell => ({ parts, span: columns.length, align: 'l' });
  const resultOf = (row: Top1Row): Part[] => [...top1Parts(row, decimals), words(`(${runWords(row)})`)];
  const rowSpans = spansOf(rows);
  const below = (first: TextCell, cells: readonly { row: Top1Row | null; span?: number }[]): TextLine[] =>
    differences ? differenceLines(first, cells, decimals) : [];
  const students = rows.flatMap(({ levels, cells }, i): TextLine[] => {
    const names = levels.map((level, k) => (rowSpans[i]![k] === 0 ? BLANK : cell(words(level.words))));
    const results = cells.map((row) => (row ? cell(...resultOf(row)) : BLANK));
    return [
      [...(names.length > 0 ? names : [cell(words('distilled'))]), ...results],
      ...below(
        over(''),
        cells.map((row) => ({ row })),
      ),
    ];
  });
  const apart = alone.flatMap(({ label, cells }): TextLine[] => {
    const merged = mergeCells(cells);
    const results = merged.map(({ row, span }) => ({ parts: row ? resultOf(row) : [], span }));
    return [[over(label), ...results], ...below(over(''), merged)];
  });
  const taught = teachers.map((row) => [over(row.label), wide(...resultOf(row))]);
  const published = reproduces
    ? [[over(publishedName(reproduces), true), wide(figure(publishedStudy(reproduces).top1.toFixed(decimals)))]]
    : [];
  const shown = [...rows.flatMap(({ cells }) => cells), ...alone.flatMap(({ cells }) => cells)];
  const caption = [captionWords(metric, differences ? (pivot.reference?.label ?? null) : null), heldWords(pivot)];
  return {
    columns: `${'l'.repeat(heads)}${'c'.repeat(columns.length)}`,
    head: headOf(pivot, heads),
    groups: [students, [...apart, ...taught], published],
    notes: shown.some((row) => row?.isWithinNoiseOfBest) ? [[sign('†'), words(NOISE_NOTE)]] : [],
    caption: [words(caption.filter((text) => text !== '').join(' '))],
  };
}

/** "3", "2 of 3, 1 failed"; the reason alone stands where there is no mean. */
const runWords = (row: Top1Row): string =>
  [countWords(row), ...(row.mean === null ? [] : [unfinishedWords(row)])].filter((text) => text !== '').join(', ');

/** A line of headings for each factor on the columns; those of the rows in the last one. */
function headOf({ axes, columns }: Pivot, heads: number): TextLine[] {
  const rowNames = axes.rows.length > 0 ? axes.rows.map(({ name }) => cell(words(FACTOR_WORDS[name]))) : [BLANK];
  if (axes.columns.length === 0) return [[...rowNames, cell(words('Top-1 (%)'))]];
  const spans = spansOf(columns);
  return axes.columns.map((factor, depth) => [
    ...(depth === axes.columns.length - 1 ? rowNames : Array.from({ length: heads }, () => BLANK)),
    ...columns.flatMap(({ levels }, i) => {
      const span = spans[i]![depth]!;
      return span === 0 ? [] : [{ ...cell(words(levelHeading(factor.name, levels[depth]!))), span }];
    }),
  ]);
}

/** Below a line of results: the differences with their p, and their intervals; no line without any. */
function differenceLines(
  first: TextCell,
  cells: readonly { row: Top1Row | null; span?: number }[],
  decimals: number,
): TextLine[] {
  const lines = [differenceParts, intervalParts].map((partsOf) =>
    cells.map(({ row, span = 1 }) => ({ parts: row ? partsOf(row, decimals) : [], span })),
  );
  return lines.filter((line) => line.some(({ parts }) => parts.length > 0)).map((line) => [first, ...line]);
}

function differenceParts({ isReference, difference }: Top1Row, decimals: number): Part[] {
  if (isReference) return [words('reference', true)];
  const { mean = null, p = null } = difference ?? {};
  if (mean === null) return [];
  return [sign('Δ'), figure(signed(mean, decimals)), ...(p === null ? [] : [sign('p'), figure(pWords(p))])];
}

const intervalParts = ({ isReference, difference }: Top1Row, decimals: number): Part[] =>
  isReference || !difference?.interval ? [] : [figure(intervalWords(difference.interval, decimals))];
