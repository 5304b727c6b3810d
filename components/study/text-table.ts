/** Tables as text: CSV for spreadsheets, GitHub's Markdown, a booktabs tabular. Names are anybody's, so each escapes what it would obey. */

const isNumber = (text: string): boolean => /^[+-]?\d+(\.\d+)?$/.test(text);

function csvCell(text: string): string {
  // A cell that begins like a formula would be run by a spreadsheet; numbers keep their sign.
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) && !isNumber(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvTable = (lines: readonly (readonly string[])[]): string =>
  `${lines.map((line) => line.map(csvCell).join(',')).join('\n')}\n`;

/** A name in a cell of Markdown: one line, nothing in it formats or ends the cell. */
export const markdownText = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\\|`*<[\]]/g, '\\$&');

/** Padded, so that it reads as a table in a plain text too. @param texts how many of the first columns stand to the left */
export function markdownTable(head: readonly string[], body: readonly (readonly string[])[], texts: number): string {
  const cells = [head, ...body];
  const widths = head.map((_, i) => Math.max(3, ...cells.map((line) => line[i]?.length ?? 0)));
  const padded = (line: readonly string[]) =>
    widths.map((width, i) => (i < texts ? (line[i] ?? '').padEnd(width) : (line[i] ?? '').padStart(width)));
  const rule = widths.map((width, i) => (i < texts ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return `${[padded(head), rule, ...body.map(padded)].map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
}

const LATEX: Record<string, string> = {
  // Behind the end of a row these two would be an option of that end.
  '[': '{[}',
  '*': '{*}',
  '\\': '\\textbackslash{}',
  '^': '\\^{}',
  '~': '\\~{}',
  '<': '$<$',
  '>': '$>$',
  '|': '$|$',
  '·': '$\\cdot$',
  '×': '$\\times$',
  '±': '$\\pm$',
  α: '$\\alpha$',
  '’': "'",
  '−': '$-$',
};

/** A name in LaTeX's text mode, for every engine: signs that pdfTeX has no letter for are set in mathematics. */
export const latexText = (text: string): string =>
  text.replace(/\s+/g, ' ').replace(/[\\{}&%$#_^~<>|[*·×±α’−]/g, (sign) => LATEX[sign] ?? `\\${sign}`);

/** @param groups of finished lines of cells, with a rule between them @param note below the table */
export function latexTabular(
  columns: string,
  head: readonly string[],
  groups: readonly (readonly (readonly string[])[])[],
  note?: string,
): string {
  const line = (cells: readonly string[]) => `  ${cells.join(' & ')} \\\\`;
  return [
    `\\begin{tabular}{${columns}}`,
    '  \\toprule',
    line(head),
    ...groups.filter((group) => group.length > 0).flatMap((group) => ['  \\midrule', ...group.map(line)]),
    '  \\bottomrule',
    ...(note === undefined ? [] : [line([`\\multicolumn{${columns.length}}{l}{\\footnotesize ${note}}`])]),
    '\\end{tabular}',
    '',
  ].join('\n');
}
