/** What model cards are written with. Names are anybody's: nothing in them formats, is a tag, or ends what they stand in. */

/** One line of Markdown. */
export const markdownText = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\|`*[\]~$#>!]/g, '\\$&')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_');

/** Paragraphs of somebody's own Markdown, as they are but without tags. */
export const markdownNotes = (text: string): string => text.replaceAll('\r\n', '\n').replace(/</g, '&lt;').trim();

/** A scalar or a list of them in YAML, of which JSON is a part; without tags for readers that take it for Markdown. */
export const yaml = (value: string | number | readonly string[]): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const codeBlock = (language: string, code: string): string => `\`\`\`${language}\n${code.trim()}\n\`\`\``;

/** Percent with two digits, as the tables have it. */
export const percent = (value: number | null): string => (value === null ? '–' : value.toFixed(2));

export const meanAndDeviation = (mean: number | null, std: number | null, n: number): string =>
  mean === null ? '–' : `${percent(mean)}${std === null ? '' : ` ± ${percent(std)}`} (n = ${n})`;

/** Parts with an empty line between any two. */
export const paragraphs = (...parts: (string | null)[]): string =>
  `${parts.filter((part) => part !== null && part !== '').join('\n\n')}\n`;
