/** Tables as text: CSV for spreadsheets, GitHub's Markdown. Names are anybody's, so each escapes what it would obey. */
import { csvText } from '@mealtable/protocol/csv';

const isNumber = (text: string): boolean => /^[+-]?\d+(\.\d+)?$/.test(text);

export const csvTable = (lines: readonly (readonly string[])[]): string =>
  `${lines.map((line) => line.map((cell) => csvText(cell, isNumber(cell))).join(',')).join('\n')}\n`;

/** A name in a cell of Markdown: one line, nothing in it formats, is a formula or a tag, or ends the cell. */
export const markdownText = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/[\\|`*<[\]~$]/g, '\\$&')
    // Within a word it means nothing.
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_');

/** Padded, so that it reads as a table in a plain text too. @param texts how many of the first columns stand to the left */
export function markdownTable(head: readonly string[], body: readonly (readonly string[])[], texts: number): string {
  const cells = [head, ...body];
  const widths = head.map((_, i) => Math.max(3, ...cells.map((line) => line[i]?.length ?? 0)));
  const padded = (line: readonly string[]) =>
    widths.map((width, i) => (i < texts ? (line[i] ?? '').padEnd(width) : (line[i] ?? '').padStart(width)));
  const rule = widths.map((width, i) => (i < texts ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return `${[padded(head), rule, ...body.map(padded)].map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
}
