/** The pivot: which factors stand where, what each cell is, and its exports. */
import type { FactorName } from '@mealtable/protocol/factor-levels';
import type { RunStatus } from '@mealtable/protocol/statuses';
import type { Levels } from '@mealtable/protocol/study-design';
import type { Top1Row } from '@mealtable/protocol/views';
import { describe, expect, it } from 'vitest';
import { buildPivot, mergeCells, spansOf } from '../../components/pivot/build-pivot.ts';
import { type PivotCopy, pivotText, pivotToCsv } from '../../components/pivot/pivot-export.ts';
import { heldWords } from '../../components/pivot/pivot-words.ts';
import { tableToLatex, tableToMarkdown } from '../../components/study/table-cells.ts';
import { row, seedValue } from './rows.ts';

const describeRest = ({ discriminator, inputSize, temperature }: Levels) =>
  ` · discriminator ${discriminator ? 'on' : 'off'} · ${inputSize} px${temperature ? ` · temperature ${temperature}` : ''}`;

function student(
  teachers: string,
  discriminator: boolean,
  inputSize: number,
  top1: (number | null)[],
  more: Partial<Levels> = {},
): Top1Row {
  const keys = teachers.split(' + ');
  const levels: Levels = { teachers: keys.map((key) => ({ kind: 'planned', key })), discriminator, inputSize, ...more };
  const label = teachers + describeRest(levels);
  return row({
    role: 'student',
    label,
    variantId: label,
    levels,
    inputSize,
    values: top1.map((value, seed) => seedValue(seed, value)),
  });
}
const alone = (inputSize: number, top1: number[]) =>
  row({
    ...{
      role: 'baseline' as const,
      label: `student alone · ${inputSize} px`,
      variantId: `alone ${inputSize}`,
      inputSize,
    },
    values: top1.map((value, seed) => seedValue(seed, value)),
  });
const teacher = row({
  role: 'teacher',
  label: 'a (resnet18)',
  variantId: 't',
  inputSize: 28,
  values: [seedValue(0, 97)],
});
const withStatus = (one: Top1Row, seed: number, status: RunStatus): Top1Row => ({
  ...one,
  values: one.values.map((value) => (value.seed === seed ? { ...value, status } : value)),
});

const rows = [
  teacher,
  alone(28, [80, 81, 82]),
  alone(30, [83, 84, 85]),
  student('a', false, 28, [85, 86, 87.5]),
  student('a', false, 30, [86, 87, 88.4]),
  student('a', true, 28, [85.2, 86.1, 87.9]),
  withStatus(student('a', true, 30, [86.4, 86.8, 10]), 2, 'failed'),
  withStatus(withStatus(student('a + b', false, 28, [1, 2, 3]), 0, 'failed'), 1, 'running'),
];
const NONE = { rows: null, columns: null, held: {} };
const pivotOf = (from: readonly Top1Row[], reference: string | null, choice = {}) =>
  buildPivot(from, reference, { ...NONE, ...choice });
const wordsOf = (lines: readonly { levels: readonly { words: string }[] }[]) =>
  lines.map(({ levels }) => levels.map(({ words }) => words).join(' | '));

describe('axes', () => {
  it('are teachers and discriminator by size, unless the study varies other things', () => {
    const { rows: lines, columns } = pivotOf(rows, null);
    expect(wordsOf(lines)).toEqual(['a | off', 'a | on', 'a + b | off']);
    expect(wordsOf(columns)).toEqual(['28 px', '30 px']);
    const oneSize = [
      student('a', false, 28, [1]),
      student('a', true, 28, [2]),
      student('b', true, 28, [2], { temperature: 4 }),
    ];
    const other = pivotOf(oneSize, null);
    expect(wordsOf(other.rows)).toEqual(['a | temperature 1', 'b | temperature 4']);
    expect(wordsOf(other.columns)).toEqual(['off', 'on']);
    const onlyTeachers = pivotOf([student('a', true, 28, [1]), student('b', true, 28, [2])], null);
    expect([wordsOf(onlyTeachers.rows), onlyTeachers.columns]).toEqual([['a', 'b'], [{ levels: [] }]]);
    expect(wordsOf(pivotOf([student('a', true, 28, [1])], null).rows)).toEqual(['a']);
  });

  it('nest several factors in the order chosen, with headings that reach over what they have in common', () => {
    const names: FactorName[] = ['inputSize', 'discriminator'];
    const { columns } = pivotOf(rows, null, { rows: ['teachers'], columns: names });
    expect(wordsOf(columns)).toEqual(['28 px | off', '28 px | on', '30 px | off', '30 px | on']);
    expect(spansOf(columns)).toEqual([
      [2, 1],
      [0, 1],
      [2, 1],
      [0, 1],
    ]);
  });

  it('a factor on none of them is held at the chosen level, else the reference’s, else the first; a factor on both counts once', () => {
    const held = (choice: object, reference: string | null = null) =>
      pivotOf(rows, reference, { rows: ['teachers'], columns: ['inputSize'], ...choice });
    const first = held({});
    expect(first.axes.held.map(({ level }) => level.words)).toEqual(['off']);
    expect(heldWords(first)).toBe('All cells are at Discriminator off; 2 other variants are not shown.');
    expect(held({}, rows[5]!.variantId).axes.held[0]!.level.words).toBe('on');
    expect(held({ held: { discriminator: 'false' } }, rows[5]!.variantId).axes.held[0]!.level.words).toBe('off');
    expect(held({ held: { discriminator: 'gone' } }).axes.held[0]!.level.words).toBe('off');
    expect(wordsOf(held({ columns: ['teachers', 'inputSize'] }).columns)).toEqual(['28 px', '30 px']);
    expect(pivotOf(rows, null, { rows: [], columns: [] }).rows).toMatchObject([
      { levels: [], cells: [{ label: rows[3]!.label }] },
    ]);
  });

  it('marks the levels of the reference', () => {
    const { rows: lines } = pivotOf(rows, rows[5]!.variantId);
    expect(lines[1]!.levels.map(({ isReference }) => isReference)).toEqual([true, true]);
    expect(lines[2]!.levels.map(({ isReference }) => isReference)).toEqual([false, false]);
  });
});

describe('cells', () => {
  const pivot = pivotOf(rows, 'alone 28');
  it('are variants, and none where the design has no such combination', () => {
    expect(pivot.rows.map(({ cells }) => cells.map((one) => one && [one.n, one.values.length]))).toEqual([
      [
        [3, 3],
        [3, 3],
      ],
      [
        [3, 3],
        [2, 3],
      ],
      [[1, 3], null],
    ]);
    expect(pivot.rows[0]!.cells[0]).toMatchObject({ difference: { n: 3, mean: 31 / 6 } });
  });

  it('the best and what is within its noise are those of the cells shown', () => {
    const marks = ({ rows: lines }: typeof pivot) =>
      lines.map(({ cells }) => cells.map((one) => (one?.isBest ? 'best' : one?.isWithinNoiseOfBest ? '≈' : '')));
    expect(marks(pivot)).toEqual([
      ['', 'best'],
      ['', '≈'],
      ['', ''],
    ]);
    const held = pivotOf(rows, 'alone 28', {
      rows: ['teachers'],
      columns: ['discriminator'],
      held: { inputSize: '28' },
    });
    expect(marks(held)).toEqual([
      ['≈', 'best'],
      ['', ''],
    ]);
    // A reference that is not shown takes no mark from those that are.
    expect(
      marks(
        pivotOf(rows, rows[4]!.variantId, {
          rows: ['teachers'],
          columns: ['discriminator'],
          held: { inputSize: '28' },
        }),
      ),
    ).toEqual(marks(held));
  });

  it('the student alone stands under its size, in as many columns as have it; teachers are apart', () => {
    expect(pivot.alone.map(({ label, cells }) => [label, cells.map((one) => one?.mean)])).toEqual([
      ['student alone', [81, 84]],
    ]);
    expect(pivot.alone[0]!.cells[0]!.isReference).toBe(true);
    const nested = pivotOf(rows, null, { rows: ['teachers'], columns: ['inputSize', 'discriminator'] });
    expect(mergeCells(nested.alone[0]!.cells).map(({ row: one, span }) => [one?.mean, span])).toEqual([
      [81, 2],
      [84, 2],
    ]);
    const bySize = pivotOf(rows, null, { rows: ['inputSize'], columns: ['discriminator'] });
    expect(bySize.alone.map(({ label }) => label)).toEqual(['student alone · 28 px', 'student alone · 30 px']);
    expect(pivot.teachers.map(({ label, mean }) => [label, mean])).toEqual([['a (resnet18)', 97]]);
  });
});

describe('exports', () => {
  const copy: PivotCopy = {
    pivot: pivotOf(rows, 'alone 28'),
    metric: 'best',
    decimals: 1,
    differences: false,
    reproduces: undefined,
  };

  it('Markdown has what is missing, failed or still going in the cell, and what is no combination apart', () => {
    expect(tableToMarkdown(pivotText(copy)).split('\n').slice(0, 8)).toEqual([
      '| Teachers      | Discriminator |                             28 px |                           30 px |',
      '| ------------- | ------------- | --------------------------------: | ------------------------------: |',
      '| a             | off           |                    86.2 ± 1.3 (3) |              **87.1** ± 1.2 (3) |',
      '|               | on            |                    86.4 ± 1.4 (3) | 86.6 ± 0.3 † (2 of 3, 1 failed) |',
      '| a + b         | off           | 3.0 (1 of 3, 1 failed, 1 running) |                                 |',
      '| student alone |               |                    81.0 ± 1.0 (3) |                  84.0 ± 1.0 (3) |',
      '| a (resnet18)  |               |                          97.0 (1) |                                 |',
      '',
    ]);
  });

  it('LaTeX has multicolumn headings with rules, and differences in lines of their own', () => {
    const nested = pivotOf(rows, 'alone 28', { rows: ['teachers'], columns: ['inputSize', 'discriminator'] });
    const lines = tableToLatex(
      pivotText({ ...copy, pivot: nested, differences: true, reproduces: 'resnet50-224' }),
    ).split('\n');
    expect(lines.slice(2, 12)).toEqual([
      '\\begin{tabular}{lcccc}',
      '  \\toprule',
      '   & \\multicolumn{2}{c}{28 px} & \\multicolumn{2}{c}{30 px} \\\\',
      '  \\cmidrule(lr){2-3} \\cmidrule(lr){4-5}',
      '  Teachers & Discriminator off & Discriminator on & Discriminator off & Discriminator on \\\\',
      '  \\midrule',
      '  a & $86.2$ $\\pm$ $1.3$ (3) & $86.4$ $\\pm$ $1.4$ (3) & \\textbf{87.1} $\\pm$ $1.2$ (3) & $86.6$ $\\pm$ $0.3$$^\\dagger$ (2 of 3, 1 failed) \\\\',
      expect.stringMatching(/^ {3}& \$\\Delta\$ \$\+5\.2\$ \$p\$ \$0\.\d+\$ & /),
      expect.stringMatching(/^ {3}& \$\[\+4\.4, \+5\.9\]\$ & /),
      expect.stringMatching(/^ {2}a \+ b & /),
    ]);
    expect(lines).toContain(
      '  student alone & \\multicolumn{2}{c}{$81.0$ $\\pm$ $1.0$ (3)} & \\multicolumn{2}{c}{$84.0$ $\\pm$ $1.0$ (3)} \\\\',
    );
    expect(lines).toContain('  a (resnet18) & \\multicolumn{4}{l}{$97.0$ (1)} \\\\');
    expect(lines.find((line) => line.includes('published'))).toMatch(
      /\\emph\{ResNet-50, 224 px .*\\multicolumn\{4\}\{l\}\{\$80\.7\$\}/,
    );
    expect(lines[1]).toMatch(/^% Top-1 in percent on the validation images.*Differences are to student alone/);
  });

  it('CSV has a line per row of the pivot with every number by itself', () => {
    const [head, first, , third, own, taught] = pivotToCsv({ ...copy, differences: true }).split('\n');
    expect(head).toMatch(
      /^Role,Teachers,Discriminator,Metric,Top-1 · 28 px mean,Top-1 · 28 px std,Top-1 · 28 px n,Top-1 · 28 px runs,/,
    );
    expect(first).toMatch(
      /^distilled,a,off,val\/top1 at its best epoch,86\.2,1\.3,3,3,,,\+5\.2,\+4\.4,\+5\.9,0\.\d+,3,87\.1,1\.2,3,3,,best,/,
    );
    expect(third).toMatch(
      /^distilled,a \+ b,off,val\/top1 at its best epoch,3\.0,,1,3,"1 failed, 1 running",,.*,,,,,,,,,,,$/,
    );
    expect(own).toMatch(/^student alone,student alone,,val\/top1 at its best epoch,81\.0,1\.0,3,3,,reference,/);
    expect(taught).toMatch(/^teacher,a \(resnet18\),,/);
    const widths = pivotToCsv({ ...copy, reproduces: 'resnet50-224' })
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/"[^"]*"/g, '').split(',').length);
    expect(new Set(widths).size).toBe(1);
  });
});
