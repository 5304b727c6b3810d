/** The top-1 table as text for papers and spreadsheets: the numbers as shown, ungrouped, in the same order. */
import { discriminatorWord } from '@mealtable/protocol/study-choices';
import type { Top1Row } from '@mealtable/protocol/views';
import { otherLevels, teacherNames } from './teacher-names.ts';

const HEADINGS = ['Role', 'Variant', 'Teachers', 'Discriminator', 'Input size', 'n'] as const;
const ROLES: Record<Top1Row['role'], string> = {
  teacher: 'teacher',
  baseline: 'student alone',
  student: 'distilled',
  evaluation: 'evaluation',
  labelling: 'labels',
};

const fixed = (value: number | null): string => (value === null ? '' : value.toFixed(2));
const signed = (value: number | null): string => (value === null ? '' : `${value > 0 ? '+' : ''}${value.toFixed(2)}`);
const discriminatorOf = (row: Top1Row): string => (row.levels ? discriminatorWord(row.levels.discriminator) : '');

const csvCell = (text: string): string => {
  // A cell that begins like a formula would be run by a spreadsheet; numbers keep their sign.
  const safe = /^[=@\t\r]|^[+-](?![\d.])/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** One line per variant with every seed's value in a column of its own; failed or missing ones are empty. */
export function toCsv(rows: readonly Top1Row[]): string {
  const seeds = [...new Set(rows.flatMap((row) => row.values.map(({ seed }) => seed)))].sort((a, b) => a - b);
  const head = [
    ...HEADINGS,
    'Top-1 mean',
    'Top-1 std',
    'Best epoch',
    'Difference',
    ...seeds.map((seed) => `Seed ${seed}`),
  ];
  const lines = rows.map((row) => [
    ROLES[row.role],
    row.label,
    teacherNames(row) ?? '',
    discriminatorOf(row),
    String(row.inputSize),
    String(row.n),
    fixed(row.mean),
    fixed(row.std),
    row.bestEpoch === null ? '' : String(row.bestEpoch),
    row.isReference ? '' : signed(row.difference),
    ...seeds.map((seed) => {
      const value = row.values.find((candidate) => candidate.seed === seed);
      return value?.status === 'succeeded' ? fixed(value.top1) : '';
    }),
  ]);
  return `${[head, ...lines].map((line) => line.map(csvCell).join(',')).join('\n')}\n`;
}

const meanAndStd = (row: Top1Row, plusMinus: string): string => {
  if (row.mean === null) return '–';
  return row.std === null ? fixed(row.mean) : `${fixed(row.mean)} ${plusMinus} ${fixed(row.std)}`;
};
const nameOf = (row: Top1Row): string => [teacherNames(row) ?? row.label, ...otherLevels(row)].join(' · ');

/** GitHub's Markdown, padded so that it reads as a table in a plain text too. */
export function toMarkdown(rows: readonly Top1Row[]): string {
  const cells = [
    ['Teachers or network', 'Discriminator', 'Input', 'n', 'Top-1 (%)', 'Best epoch', 'Δ'],
    ...rows.map((row) => [
      nameOf(row).replaceAll('|', '\\|'),
      discriminatorOf(row) || '–',
      `${row.inputSize}`,
      `${row.n}`,
      meanAndStd(row, '±'),
      row.bestEpoch === null ? '–' : `${row.bestEpoch}`,
      row.isReference ? 'reference' : signed(row.difference) || '–',
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(3, ...cells.map((line) => line[column]?.length ?? 0)));
  const isText = (column: number) => column < 2;
  const line = (texts: string[]) =>
    `| ${texts.map((text, i) => (isText(i) ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (isText(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head, ...body] = cells;
  return `${[line(head ?? []), rule, ...body.map(line)].join('\n')}\n`;
}

const latexText = (text: string): string =>
  text
    .replace(/[\\{}&%$#_^~]/g, (char) =>
      char === '\\' ? '\\textbackslash{}' : char === '^' || char === '~' ? `\\${char}{}` : `\\${char}`,
    )
    .replaceAll('·', '$\\cdot$');

/** A tabular for the booktabs package; the best mean of the distilled students in bold. */
export function toLatex(rows: readonly Top1Row[], bestVariantId: string | null): string {
  const body = rows.map((row) => {
    const top1 = row.mean === null ? '--' : `$${meanAndStd(row, '\\pm')}$`;
    const shown =
      row.variantId === bestVariantId
        ? `\\textbf{${row.mean?.toFixed(2)}}${row.std === null ? '' : ` $\\pm$ ${fixed(row.std)}`}`
        : top1;
    const difference = row.isReference ? '--' : row.difference === null ? '--' : `$${signed(row.difference)}$`;
    return `  ${[latexText(nameOf(row)), discriminatorOf(row) || '--', row.inputSize, row.n, shown, row.bestEpoch ?? '--', difference].join(' & ')} \\\\`;
  });
  return [
    '\\begin{tabular}{llrrrrr}',
    '  \\toprule',
    '  Teachers or network & Discriminator & Input & $n$ & Top-1 (\\%) & Best epoch & $\\Delta$ \\\\',
    '  \\midrule',
    ...body,
    '  \\bottomrule',
    '\\end{tabular}',
    '',
  ].join('\n');
}
