/** The top-1 table as text: the numbers of the page, safe in a spreadsheet, a README and a paper. */
import type { Top1Row } from '@mealtable/protocol/views';
import { describe, expect, it } from 'vitest';
import { costOfVariant, slotKindOf } from '../../components/study/costs.ts';
import { latexText, latexWord } from '../../components/study/latex-text.ts';
import { tableToLatex, tableToMarkdown } from '../../components/study/table-cells.ts';
import { type Top1Copy, toCsv, top1Text } from '../../components/study/table-export.ts';
import { teacherNames } from '../../components/study/teacher-names.ts';
import { csvTable, markdownText } from '../../components/study/text-table.ts';
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
const own: Top1Copy = { rows, reproduces: undefined, metric: 'best', decimals: 2, costs: null };
const beside: Top1Copy = { ...own, reproduces: 'resnet50-cutmix-224' };
const toMarkdown = (copy: Top1Copy) => tableToMarkdown(top1Text(copy));
const toLatex = (copy: Top1Copy) => tableToLatex(top1Text(copy));
const CAPTION =
  'Top-1 in percent on the validation images, at the best epoch of each run; mean ± sample standard deviation over n seeds. ' +
  'Differences are to student alone · 32 px: mean of the differences over the seeds that both have, with the 95 % interval ' +
  'and the two-sided p of the paired t test.';

describe('CSV', () => {
  it('has the interval and p of the difference, a column per seed, and nothing where a seed did not succeed', () => {
    expect(toCsv(own)).toBe(
      [
        'Role,Variant,Teachers,Discriminator,Input size,Metric,n,Runs,Without a result,Top-1 mean,Top-1 std,Best epoch,Mark,Difference,Difference low,Difference high,p,Pairs,Seed 0,Seed 1',
        'teacher,wide (resnet34_w16),,,32,val/top1 at its best epoch,1,1,,97.50,,,,,,,,,97.50,',
        'student alone,student alone · 32 px,,,32,val/top1 at its best epoch,2,2,,90.50,0.71,11.5,reference,,,,,,90.00,91.00',
        'distilled,wide + deep · discriminator on · 32 px,wide + deep,on,32,val/top1 at its best epoch,1,2,1 failed,93.46,,12,best,+3.46,,,,1,93.46,',
        'distilled,wide · discriminator off · 32 px · temperature 4,wide,off,32,val/top1 at its best epoch,2,2,,93.05,0.07,,within noise of best,0.00,-0.90,+0.90,0.000123,2,93.00,93.10',
        '',
      ].join('\n'),
    );
  });

  it('sets the published result apart by its role, in as many cells', () => {
    const lines = toCsv(beside).trimEnd().split('\n');
    expect(lines.at(-1)).toBe(
      `published,"ResNet-50 with CutMix, 224 px (published by MEAL V2's authors, on ImageNet; not computed here)",senet154.gluon_in1k + resnet152s.gluon_in1k,on,224,top-1 as published,,,,80.98,,,,,,,,,,`,
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
    ['a;=1', '"a;=1"'],
    ['a\nb', '"a\nb"'],
  ])('writes %j so that no spreadsheet runs or splits it', (text, cell) => {
    expect(csvTable([[text]])).toBe(`${cell}\n`);
  });
});

describe('Markdown', () => {
  it('is a padded table with the best in bold, a dagger for those within its noise, and its line', () => {
    expect(toMarkdown(own)).toBe(
      [
        '| Teachers or network   | Discriminator | Input |      n |      Top-1 (%) | Best epoch |         Δ |  95 % interval |       p |',
        '| --------------------- | ------------- | ----: | -----: | -------------: | ---------: | --------: | -------------: | ------: |',
        '| wide (resnet34_w16)   | –             |    32 |      1 |          97.50 |          – |         – |              – |       – |',
        '| student alone · 32 px | –             |    32 |      2 |   90.50 ± 0.71 |       11.5 | reference |              – |       – |',
        '| wide + deep           | on            |    32 | 1 of 2 |      **93.46** |         12 |     +3.46 |              – |       – |',
        '| wide · temperature 4  | off           |    32 |      2 | 93.05 ± 0.07 † |          – |      0.00 | [-0.90, +0.90] | \\<0.001 |',
        '',
        '† Within noise of the best: the 95 % interval of the difference to it, paired by seed, holds 0.',
        '',
        CAPTION,
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
    expect(markdownText('$a$ _b_ c_d ~~e~~ &lt;')).toBe('\\$a\\$ \\_b\\_ c_d \\~\\~e\\~\\~ &amp;lt;');
  });
});

describe('LaTeX', () => {
  const text = toLatex(own);

  it('is a booktabs tabular with the best in bold and those within its noise explained below', () => {
    expect(text.split('\n')).toEqual([
      '% Needs \\usepackage{booktabs}.',
      `% ${CAPTION.replace('±', '$\\pm$').replace(' · ', ' $\\cdot$ ').replace('95 %', '95 \\%')}`,
      '\\begin{tabular}{llrrrrrrr}',
      '  \\toprule',
      '  Teachers or network & Discriminator & Input & $n$ & Top-1 (\\%) & Best epoch & $\\Delta$ & 95 \\% interval & $p$ \\\\',
      '  \\midrule',
      '  wide (resnet34\\_w16) & -- & 32 & 1 & $97.50$ & -- & -- & -- & -- \\\\',
      '  student alone $\\cdot$ 32 px & -- & 32 & 2 & $90.50$ $\\pm$ $0.71$ & 11.5 & reference & -- & -- \\\\',
      '  wide + deep & on & 32 & 1 of 2 & \\textbf{93.46} & 12 & $+3.46$ & -- & -- \\\\',
      '  wide $\\cdot$ temperature 4 & off & 32 & 2 & $93.05$ $\\pm$ $0.07$$^\\dagger$ & -- & $0.00$ & $[-0.90, +0.90]$ & $<0.001$ \\\\',
      '  \\bottomrule',
      '\\end{tabular}',
      '\\par\\smallskip{\\footnotesize $^\\dagger$ Within noise of the best: the 95 \\% interval of the difference to it, paired by seed, holds 0.\\par}',
      '',
    ]);
  });

  it('as a float has caption and label', () => {
    const lines = tableToLatex(top1Text(own), { float: { label: 'tab:my study_1' } }).split('\n');
    expect(lines.slice(1, 3)).toEqual(['\\begin{table}[t]', '\\centering\\small\\setlength{\\tabcolsep}{4pt}']);
    expect(lines[3]).toMatch(/^\\caption\{Top-1 in percent on the validation images, at the best epoch/);
    expect(lines[4]).toBe('\\label{tab:my-study-1}');
    expect(lines.at(-2)).toBe('\\end{table}');
  });

  it('has the published result below a rule of its own', () => {
    const lines = toLatex(beside).split('\n');
    const at = lines.findIndex((line) => line.includes('published'));
    expect(lines[at - 1]).toBe('  \\midrule');
    expect(lines[at]).toBe(
      "  \\parbox[t]{0.26\\linewidth}{\\raggedright\\strut \\emph{ResNet-50 with CutMix, 224 px (published by MEAL V2's authors, on ImageNet; not computed here)}\\strut} & on & 224 & -- & $80.98$ & -- & -- & -- & -- \\\\",
    );
    expect(lines[at + 1]).toBe('  \\bottomrule');
  });

  it('has the same number of cells in every line', () => {
    const cells = toLatex(beside)
      .split('\n')
      .filter((line) => line.endsWith('\\\\') && !line.includes('multicolumn'))
      .map((line) => line.split(/(?<!\\)&/).length);
    expect(new Set(cells)).toEqual(new Set([9]));
  });

  it('writes every special sign so that it is set and not obeyed', () => {
    expect(latexText('a--b ``c\'\' "d" ?`')).toBe("a-{}-b `{}`c'{}' ''d'' ?{}`");
    expect(latexText('Zürich naïve Åse Łódź ñ β … 中 \u0007')).toBe(
      'Z\\"{u}rich na\\"{\\i}ve \\r{A}se \\L{}\\\'{o}d\\\'{z} \\~{n} $\\beta$ \\ldots{} {\\ttfamily U+4E2D}\\allowbreak{} {\\ttfamily U+0007}\\allowbreak{}',
    );
    expect(latexText(`${'x'.repeat(41)} y`)).toBe(`${'x'.repeat(20)}\\allowbreak{}${'x'.repeat(20)}\\allowbreak{}x y`);
    expect(latexWord('tab:a b/../{c}_d')).toBe('tab:a-b-..-c-d');
    expect(latexText('a_b & 50 % #1 {x} $y$ ^ ~ \\input')).toBe(
      'a\\_b \\& 50 \\% \\#1 \\{x\\} \\$y\\$ \\^{} \\~{} \\textbackslash{}input',
    );
    expect(latexText('[x] * 3\n× α ± · − <b>|’')).toBe(
      "{[}x] {*} 3 $\\times$ $\\alpha$ $\\pm$ $\\cdot$ $-$ $<$b$>$$|$'",
    );
  });
});

describe('what is chosen', () => {
  it('decimals are those of every figure', () => {
    expect(toCsv({ ...own, decimals: 1 }).split('\n')[4]).toContain('93.0,0.1,,within noise of best,0.0,-0.9,+0.9');
    expect(toMarkdown({ ...own, decimals: 0 })).toMatch(/\*\*93\*\*.* \+3 /);
  });

  it('another metric is named in the caption and in every line, and has no best epoch unless it is of the best checkpoint', () => {
    const last = { ...own, metric: 'last' as const };
    expect(toMarkdown(last)).toContain('Top-1 in percent on the validation images, at the last epoch of each run');
    expect(toMarkdown(last)).not.toContain('Best epoch');
    expect(
      toCsv(last)
        .trimEnd()
        .split('\n')
        .slice(1)
        .every((line) => line.includes('val/top1 at the last epoch')),
    ).toBe(true);
    expect(toLatex({ ...own, metric: 'test-best' })).toContain('Best epoch');
  });

  it('costs have columns of their own, what they count in the caption, and no spread of one run', () => {
    const cost = { runId: 'run_0', attempts: 2, isOpen: false, parameters: 174_970, macs: 43_400_000, imagesPerS: 812 };
    const byRun = new Map([
      ['run_0', { ...cost, slotMs: { gpu: 3_600_000, cpu: 0 } }],
      ['run_1', { ...cost, runId: 'run_1', attempts: 1, slotMs: { gpu: 7_200_000, cpu: 0 }, imagesPerS: 790 }],
    ]);
    const names = ['hours', 'parameters', 'macs', 'images'] as const;
    const costs = { names, slots: slotKindOf(byRun.values()), of: (one: Top1Row) => costOfVariant(one, byRun) };
    const lines = toMarkdown({ ...own, costs }).split('\n');
    expect(lines[0]).toMatch(/\| +GPU-hours \| +Params \(M\) \| +GMACs \| +Images\/s \|$/);
    expect(lines[2]).toMatch(/\| +1\.00 \| +0\.175 \| +0\.0434 \| +812 \|$/);
    expect(lines[3]).toMatch(/\| +1\.50 ± 0\.71 \| +0\.175 \| +0\.0434 \| +801 ± 16 \|$/);
    // A run that failed has cost all the same.
    expect(toCsv({ ...own, costs }).split('\n')[3]).toContain(',1,,3,3,174970,43400000,812,,93.46,');
    expect(lines.at(-2)).toContain('GPU-hours are those of a run, all of its attempts; its teachers’ are not in them.');
    const cpu = new Map([['run_0', { ...cost, slotMs: { gpu: 0, cpu: 100 } }]]);
    expect(slotKindOf(cpu.values())).toBe('cpu');
    expect(slotKindOf([...cpu.values(), ...byRun.values()])).toBe('both');
  });

  it('a variant without a result says why', () => {
    const failed = row({
      ...{ role: 'student' as const, label: 'x', variantId: 'v9' },
      values: [
        { ...seedValue(0, 10), status: 'failed' },
        { ...seedValue(1, 20), status: 'running' },
        { ...seedValue(2, null), status: 'running' },
      ],
    });
    expect(toMarkdown({ ...own, rows: [failed] })).toContain('| *1 failed, 2 running* |');
    expect(toCsv({ ...own, rows: [failed] }).split('\n')[1]).toContain(',0,3,"1 failed, 2 running",,,');
  });
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
