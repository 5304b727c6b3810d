/** A table of text before it is Markdown or LaTeX: cells of parts, so that both say the same and each escapes what it would obey. */
import { latexLength, latexText, latexWord } from './latex-text.ts';
import { markdownTable, markdownText } from './text-table.ts';

export type Part =
  /** Anybody's: escaped. */
  | { kind: 'words'; text: string; isItalic?: boolean }
  /** A number or interval, of digits and signs alone. */
  | { kind: 'figure'; text: string; isBold?: boolean }
  /** A sign of ours, as each writes it. */
  | { kind: 'sign'; sign: Sign };
export type Sign = keyof typeof SIGNS;

const SIGNS = {
  '±': ['±', '$\\pm$'],
  '†': ['†', '$^\\dagger$'],
  '–': ['–', '--'],
  Δ: ['Δ', '$\\Delta$'],
  n: ['n', '$n$'],
  p: ['p', '$p$'],
} as const satisfies Record<string, readonly [markdown: string, latex: string]>;

export interface TextCell {
  parts: readonly Part[];
  /** Columns that it reaches over; 1 unless given. */
  span?: number;
  /** Where it stands in them: in the middle, and in Markdown in each of them; or to the left, and in Markdown in the first. */
  align?: 'l' | 'c';
}
export type TextLine = readonly TextCell[];

export interface TextTable {
  /** One of l, r and c for each column; words stand to the left. */
  columns: string;
  head: readonly TextLine[];
  /** With a rule between them. */
  groups: readonly (readonly TextLine[])[];
  /** Below the table: what its signs mean. */
  notes: readonly (readonly Part[])[];
  /** What the numbers are; every export says it. */
  caption: readonly Part[];
}

export const words = (text: string, isItalic = false): Part => ({ kind: 'words', text, isItalic });
export const figure = (text: string, isBold = false): Part => ({ kind: 'figure', text, isBold });
export const sign = (name: Sign): Part => ({ kind: 'sign', sign: name });
export const cell = (...parts: readonly Part[]): TextCell => ({ parts });
export const NOTHING = cell(sign('–'));
export const BLANK = cell();

/** Parts of a cell stand apart by a space. @param beforeMark what parts a mark from what it is on */
const joined = (parts: readonly Part[], write: (part: Part) => string, beforeMark: string): string =>
  parts
    .map((part, i) => (i === 0 ? '' : part.kind === 'sign' && part.sign === '†' ? beforeMark : ' ') + write(part))
    .join('');
const inMarkdown = (parts: readonly Part[]): string => joined(parts, markdownPart, ' ');
const inLatex = (parts: readonly Part[]): string => joined(parts, latexPart, '');

function markdownPart(part: Part): string {
  if (part.kind === 'sign') return SIGNS[part.sign][0];
  if (part.kind === 'words') return part.isItalic ? `*${markdownText(part.text)}*` : markdownText(part.text);
  const text = part.text.replace('<', '\\<');
  return part.isBold ? `**${text}**` : text;
}

function latexPart(part: Part): string {
  if (part.kind === 'sign') return SIGNS[part.sign][1];
  if (part.kind === 'words') return part.isItalic ? `\\emph{${latexText(part.text)}}` : latexText(part.text);
  return part.isBold ? `\\textbf{${part.text}}` : `$${part.text}$`;
}

/** As many cells as columns. */
const spread = (line: TextLine, write: (cell: TextCell) => string): string[] =>
  line.flatMap((one) =>
    Array.from({ length: one.span ?? 1 }, (_, i) => (i > 0 && one.align === 'l' ? '' : write(one))),
  );

/** GitHub's Markdown. Its tables have one line of headings, so those of several lines are put together. */
export function tableToMarkdown({ columns, head, groups, notes, caption }: TextTable): string {
  const write = ({ parts }: TextCell) => inMarkdown(parts);
  const heads = head.map((line) => spread(line, write));
  const headings = Array.from(columns, (_, i) =>
    heads
      .map((line) => line[i] ?? '')
      .filter((text) => text !== '')
      .join(' · '),
  );
  const body = groups.flat().map((line) => spread(line, write));
  const below = [...notes, caption].map((parts) => `\n${inMarkdown(parts)}\n`).join('');
  return markdownTable(headings, body, columns.search(/[^l]/)) + below;
}

export interface LatexOptions {
  /** A float with caption and label instead of the bare tabular. */
  float?: { label: string };
}

/** For the booktabs package alone. */
export function tableToLatex(table: TextTable, { float }: LatexOptions = {}): string {
  const { columns, head, groups, notes, caption } = table;
  const line = (cells: TextLine) => `  ${cells.map(latexCell).join(' & ')} \\\\`;
  const captionText = inLatex(caption);
  const tabular = [
    `\\begin{tabular}{${columns}}`,
    '  \\toprule',
    ...head.flatMap((cells, i) => [line(cells), ...(i < head.length - 1 ? [spanRules(cells)] : [])]),
    ...groups.filter((group) => group.length > 0).flatMap((group) => ['  \\midrule', ...group.map(line)]),
    '  \\bottomrule',
    '\\end{tabular}',
    ...notes.map((parts) => `\\par\\smallskip{\\footnotesize ${inLatex(parts)}\\par}`),
  ];
  const head1 = '% Needs \\usepackage{booktabs}.';
  if (!float) return [head1, `% ${captionText}`, ...tabular, ''].join('\n');
  return [
    head1,
    '\\begin{table}[t]',
    '\\centering\\small\\setlength{\\tabcolsep}{4pt}',
    `\\caption{${captionText}}`,
    `\\label{${latexWord(float.label)}}`,
    '\\medskip',
    ...tabular,
    '\\end{table}',
    '',
  ].join('\n');
}

/** A name longer than this would push the table off the page: it is broken into lines. */
const LONGEST_LINE = 36;

function latexCell({ parts, span = 1, align = 'c' }: TextCell): string {
  const text = inLatex(parts);
  const length = parts.reduce((sum, part) => sum + (part.kind === 'sign' ? 1 : latexLength(part.text)), 0);
  const set = length > LONGEST_LINE ? `\\parbox[t]{0.26\\linewidth}{\\raggedright\\strut ${text}\\strut}` : text;
  return span === 1 ? set : `\\multicolumn{${span}}{${align}}{${set}}`;
}

/** Lines under headings that reach over several columns. */
function spanRules(cells: TextLine): string {
  let from = 1;
  const rules = cells.flatMap(({ span = 1, parts }) => {
    const at = from;
    from += span;
    return span > 1 && parts.length > 0 ? [`\\cmidrule(lr){${at}-${from - 1}}`] : [];
  });
  return `  ${rules.join(' ')}`;
}
