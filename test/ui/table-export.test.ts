/** The top-1 table as text: the numbers of the page, safe in a spreadsheet, a README and a paper. */
import type { Top1Row } from '@mealtable/protocol/views';
import { describe, expect, it } from 'vitest';
import { toCsv, toLatex, toMarkdown } from '../../components/study/table-export.ts';
import { teacherNames } from '../../components/study/teacher-names.ts';
import { csvTable, latexText, markdownText } from '../../components/study/text-table.ts';
import { groupRows, valueRange } from '../../components/study/top1-groups.ts';
import { difference, row, seedValue } from './rows.ts';

const rows: Top1Row[] = [
  row({
    role: 'teacher',
    label: 'wide (resnet34_w16)',
    variantId: 'v1',
    values: [seedValue(0, 97.5)],
    mean: 97.5,
    n: 1,
  }),
  row({
    role: 'baseline',
    label: 'student alone · 32 px',
    variantId: 'v2',
    isReference: true,
    values: [seedValue(0, 90), seedValue(1, 91)],
    mean: 90.5,
    std: Math.SQRT1_2,
    n: 2,
    bestEpoch: 11.5,
  }),
  row({
    role: 'student',
    label: 'wide + deep · discriminator on · 32 px',
    variantId: 'v3',
    levels: {
      teachers: [
        { kind: 'planned', key: 'wide' },
        { kind: 'planned', key: 'deep' },
      ],
      discriminator: true,
      inputSize: 32,
    },
    values: [seedValue(0, 93.456), { ...seedValue(1, 40), status: 'failed' }],
    mean: 93.456,
    n: 1,
    bestEpoch: 12,
    isBest: true,
    difference: difference({ mean: 3.456, std: null, n: 1, leftOut: 1, interval: null, p: null }),
  }),
  row({
    role: 'student',
    label: 'wide · discriminator off · 32 px · temperature 4',
    variantId: 'v4',
    levels: { teachers: [{ kind: 'planned', key: 'wide' }], discriminator: false, inputSize: 32, temperature: 4 },
    values: [seedValue(0, 93), seedValue(1, 93.1)],
    mean: 93.05,
    std: 0.0707,
    n: 2,
    isWithinNoiseOfBest: true,
    difference: difference({ mean: -0.001, interval: { low: -0.9, high: 0.898 }, n: 2, p: 0.00012345 }),
  }),
];
const own = { rows, reproduces: undefined };
const beside = { rows, reproduces: 'resnet50-cutmix-224' as const };

describe('CSV', () => {
  it('has the interval and p of the difference, a column per seed, and nothing where a seed did not succeed', () => {
    expect(toCsv(own)).toBe(
      [
        'Role,Variant,Teachers,Discriminator,Input size,n,Top-1 mean,Top-1 std,Best epoch,Mark,Difference,Difference low,Difference high,p,Pairs,Seed 0,Seed 1',
        'teacher,wide (resnet34_w16),,,32,1,97.50,,,,,,,,,97.50,',
        'student alone,student alone · 32 px,,,32,2,90.50,0.71,11.5,reference,,,,,,90.00,91.00',
        'distilled,wide + deep · discriminator on · 32 px,wide + deep,on,32,1,93.46,,12,best,+3.46,,,,1,93.46,',
        'distilled,wide · discriminator off · 32 px · temperature 4,wide,off,32,2,93.05,0.07,,within noise of best,0.00,-0.90,+0.90,0.000123,2,93.00,93.10',
        '',
      ].join('\n'),
    );
  });

  it('sets the published result apart by its role, in as many cells', () => {
    const lines = toCsv(beside).trimEnd().split('\n');
    expect(lines.at(-1)).toBe(
      `published,"ResNet-50 with CutMix, 224 px (published by MEAL V2's authors, on ImageNet; not computed here)",senet154.gluon_in1k + resnet152s.gluon_in1k,on,224,,80.98,,,,,,,,,,`,
    );
    expect(lines.slice(0, -1).join('\n')).toBe(toCsv(own).trimEnd());
  });

  it.each([
    ['=SUM(A1), "x"', `"'=SUM(A1), ""x"""`],
    ['+cmd', "'+cmd"],
    ["-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"],
    ['@x', "'@x"],
    ['\t=1', "'\t=1"],
    ['\n=1', `"'\n=1"`],
    ['＝1+1', "'＝1+1"],
    ['-0.35', '-0.35'],
    ['+12', '+12'],
    ['-', "'-"],
    ['a,b', '"a,b"'],
    ['a\nb', '"a\nb"'],
  ])('writes %j so that no spreadsheet runs or splits it', (text, cell) => {
    expect(csvTable([[text]])).toBe(`${cell}\n`);
  });
});

describe('Markdown', () => {
  it('is a padded table with the best in bold, a dagger for those within its noise, and its line', () => {
    expect(toMarkdown(own)).toBe(
      [
        '| Teachers or network   | Discriminator | Input |   n |      Top-1 (%) | Best epoch |         Δ |  95 % interval |',
        '| --------------------- | ------------- | ----: | --: | -------------: | ---------: | --------: | -------------: |',
        '| wide (resnet34_w16)   | –             |    32 |   1 |          97.50 |          – |         – |              – |',
        '| student alone · 32 px | –             |    32 |   2 |   90.50 ± 0.71 |       11.5 | reference |              – |',
        '| wide + deep           | on            |    32 |   1 |      **93.46** |         12 |     +3.46 |              – |',
        '| wide · temperature 4  | off           |    32 |   2 | 93.05 ± 0.07 † |          – |      0.00 | [-0.90, +0.90] |',
        '',
        '† Within noise of the best: the 95 % interval of the difference to it, paired by seed, holds 0.',
        '',
      ].join('\n'),
    );
  });

  it('names the published result as one that was not computed here', () => {
    const line = toMarkdown(beside)
      .split('\n')
      .find((text) => text.includes('published'));
    expect(line).toMatch(
      /^\| \*ResNet-50 with CutMix, 224 px \(published by .*; not computed here\)\* +\| on +\| +224 \| +– \| +80\.98 \|/,
    );
  });

  it('keeps any name in one cell and as it is written', () => {
    expect(markdownText('a|b\nc `d` *e* <b> [x] \\')).toBe('a\\|b c \\`d\\` \\*e\\* \\<b> \\[x\\] \\\\');
  });
});

describe('LaTeX', () => {
  const text = toLatex(own);

  it('is a booktabs tabular with the best in bold and those within its noise explained below', () => {
    expect(text.split('\n')).toEqual([
      '\\begin{tabular}{llrrrrrr}',
      '  \\toprule',
      '  Teachers or network & Discriminator & Input & $n$ & Top-1 (\\%) & Best epoch & $\\Delta$ & 95\\,\\% interval \\\\',
      '  \\midrule',
      '  wide (resnet34\\_w16) & -- & 32 & 1 & $97.50$ & -- & -- & -- \\\\',
      '  student alone $\\cdot$ 32 px & -- & 32 & 2 & $90.50$ $\\pm$ $0.71$ & 11.5 & -- & -- \\\\',
      '  wide + deep & on & 32 & 1 & \\textbf{93.46} & 12 & $+3.46$ & -- \\\\',
      '  wide $\\cdot$ temperature 4 & off & 32 & 2 & $93.05$ $\\pm$ $0.07$$^\\dagger$ & -- & $0.00$ & $[-0.90, +0.90]$ \\\\',
      '  \\bottomrule',
      '  \\multicolumn{8}{l}{\\footnotesize $^\\dagger$ Within noise of the best: the 95 \\% interval of the difference to it, paired by seed, holds 0.} \\\\',
      '\\end{tabular}',
      '',
    ]);
  });

  it('has the published result below a rule of its own', () => {
    const lines = toLatex(beside).split('\n');
    const at = lines.findIndex((line) => line.includes('published'));
    expect(lines[at - 1]).toBe('  \\midrule');
    expect(lines[at]).toBe(
      "  \\emph{ResNet-50 with CutMix, 224 px (published by MEAL V2's authors, on ImageNet; not computed here)} & on & 224 & -- & $80.98$ & -- & -- & -- \\\\",
    );
    expect(lines[at + 1]).toBe('  \\bottomrule');
  });

  it('has the same number of cells in every line', () => {
    const cells = toLatex(beside)
      .split('\n')
      .filter((line) => line.endsWith('\\\\') && !line.includes('multicolumn'))
      .map((line) => line.split(/(?<!\\)&/).length);
    expect(new Set(cells)).toEqual(new Set([8]));
  });

  it('writes every special sign so that it is set and not obeyed', () => {
    expect(latexText('a_b & 50 % #1 {x} $y$ ^ ~ \\input')).toBe(
      'a\\_b \\& 50 \\% \\#1 \\{x\\} \\$y\\$ \\^{} \\~{} \\textbackslash{}input',
    );
    expect(latexText('[x] * 3\n× α ± · − <b>|’')).toBe(
      "{[}x] {*} 3 $\\times$ $\\alpha$ $\\pm$ $\\cdot$ $-$ $<$b$>$$|$'",
    );
  });
});

it('the same rows give the same bytes, whatever was copied before', () => {
  for (const copy of [toCsv, toMarkdown, toLatex]) expect(copy(structuredClone(beside))).toBe(copy(beside));
});

describe('the table', () => {
  it('lists teachers, the student alone, then distilled students, and leaves out roles without rows', () => {
    expect(groupRows(rows.toReversed()).map(({ role }) => role)).toEqual(['teacher', 'baseline', 'student']);
    expect(groupRows(rows.slice(1)).map(({ role }) => role)).toEqual(['baseline', 'student']);
  });

  it('scales its marks by seeds that count, without the teachers far above', () => {
    const range = valueRange(rows);
    expect(range?.min).toBeGreaterThan(89);
    expect(range?.max).toBeLessThan(94);
    expect(valueRange(rows.slice(0, 1))).toBeNull();
  });

  it('takes the teachers’ names from a label even when they hold its separator', () => {
    const levels = { teachers: [{ kind: 'planned' as const, key: 'a' }], discriminator: false, inputSize: 48 };
    expect(teacherNames({ label: 'a · b · discriminator off · 48 px', levels })).toBe('a · b');
    expect(teacherNames({ label: 'student alone · 48 px', levels: null })).toBeNull();
  });
});
