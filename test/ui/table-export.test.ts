/** The top-1 table as text: the numbers of the page, safe in a spreadsheet, a README and a paper. */
import type { Top1Row } from '@mealtable/protocol/views';
import { describe, expect, it } from 'vitest';
import { toCsv, toLatex, toMarkdown } from '../../components/study/table-export.ts';
import { teacherNames } from '../../components/study/teacher-names.ts';
import { bestRow, groupRows, valueRange } from '../../components/study/top1-groups.ts';
import { row, seedValue } from './rows.ts';

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
    difference: 3.456,
    pairedSeeds: 1,
  }),
];

describe('CSV', () => {
  it('has a column per seed, two decimals, and nothing where a seed did not succeed', () => {
    expect(toCsv(rows)).toBe(
      [
        'Role,Variant,Teachers,Discriminator,Input size,n,Top-1 mean,Top-1 std,Best epoch,Difference,Seed 0,Seed 1',
        'teacher,wide (resnet34_w16),,,32,1,97.50,,,,97.50,',
        'student alone,student alone · 32 px,,,32,2,90.50,0.71,11.5,,90.00,91.00',
        'distilled,wide + deep · discriminator on · 32 px,wide + deep,on,32,1,93.46,,12,+3.46,93.46,',
        '',
      ].join('\n'),
    );
  });

  it('quotes what would break a line and disarms what would be a formula', () => {
    const [first] = rows;
    const label = '=SUM(A1), "x"';
    expect(toCsv([{ ...first!, label }])).toContain(`"'=SUM(A1), ""x"""`);
  });
});

describe('Markdown', () => {
  it('is a padded table with mean ± std', () => {
    expect(toMarkdown(rows)).toBe(
      [
        '| Teachers or network   | Discriminator | Input |   n |    Top-1 (%) | Best epoch |         Δ |',
        '| --------------------- | ------------- | ----: | --: | -----------: | ---------: | --------: |',
        '| wide (resnet34_w16)   | –             |    32 |   1 |        97.50 |          – |         – |',
        '| student alone · 32 px | –             |    32 |   2 | 90.50 ± 0.71 |       11.5 | reference |',
        '| wide + deep           | on            |    32 |   1 |        93.46 |         12 |     +3.46 |',
        '',
      ].join('\n'),
    );
  });
});

describe('LaTeX', () => {
  it('escapes names and sets the best mean in bold', () => {
    const text = toLatex(rows, 'v3');
    expect(text).toContain('wide (resnet34\\_w16) & -- & 32 & 1 & $97.50$ & -- & -- \\\\');
    expect(text).toContain('student alone $\\cdot$ 32 px & -- & 32 & 2 & $90.50 \\pm 0.71$ & 11.5 & -- \\\\');
    expect(text).toContain('wide + deep & on & 32 & 1 & \\textbf{93.46} & 12 & $+3.46$ \\\\');
  });
});

describe('the table', () => {
  it('lists teachers, the student alone, then distilled students, and leaves out roles without rows', () => {
    expect(groupRows(rows.toReversed()).map(({ role }) => role)).toEqual(['teacher', 'baseline', 'student']);
    expect(groupRows(rows.slice(1)).map(({ role }) => role)).toEqual(['baseline', 'student']);
  });

  it('has its best among the students, never a teacher', () => {
    expect(bestRow(rows)?.variantId).toBe('v3');
    expect(bestRow(rows.slice(0, 2))).toBeNull();
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
