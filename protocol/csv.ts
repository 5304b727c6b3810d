/** Comma-separated values that spreadsheets, pandas and R read alike: RFC 4180 with \n, UTF-8, numbers with all their digits. */

/** What a spreadsheet would take for a formula, in the letters of Europe and of East Asia. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** A text that begins like a formula gets an apostrophe, which spreadsheets take as the sign of plain text. Numbers are no texts. */
export function csvCell(value: string | number | boolean | null): string {
  if (value === null) return '';
  return typeof value === 'string' ? csvText(value) : String(value);
}

/** @param isNumber for a number that is written already: its sign makes no formula of it */
export function csvText(text: string, isNumber = false): string {
  const safe = !isNumber && FORMULA.test(text) ? `'${text}` : text;
  // Where a comma is the decimal sign, spreadsheets divide at semicolons.
  return /[",;\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvLine = (cells: readonly (string | number | boolean | null)[]): string =>
  `${cells.map(csvCell).join(',')}\n`;
