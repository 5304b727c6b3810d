/** What is kept of a printed line: its text, tabs and colours. */
import { MAX_LOG_LINE } from '@mealtable/protocol/tunables';

const CUT = ' … (cut)';
const ESC = '\u001b';
/** Escape sequences: operating system commands (titles, links), control sequences (of which `m` are colours), and all others. */
const SEQUENCES = new RegExp(
  `${ESC}\\][^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\|$)|${ESC}\\[([0-?]*)[ -/]*([@-~]|$)|${ESC}[ -/]*[0-~]?`,
  'g',
);
/** Control characters but tab and escape, and Unicode's own ends of lines. */
const CONTROLS = new RegExp(`(?![\\t${ESC}])[\\p{Cc}\\u2028\\u2029]`, 'gu');
const COLOUR = /^[0-9;:]*$/;
/** Half a colour, or half a character. */
const HALF = new RegExp(`(?:${ESC}\\[?[0-9;:]*|[\\ud800-\\udbff])$`);
/** Blanks and colours at most. */
const BLANK = new RegExp(`^(?:\\s|${ESC}\\[[0-9;:]*m)*$`);

/** Drops everything that moves a cursor, rings or talks to a terminal; cuts and marks a line above the limit. */
export function cleanText(printed: string): string {
  const text = printed
    .replaceAll(SEQUENCES, (whole, numbers: string | undefined, final: string | undefined) =>
      final === 'm' && COLOUR.test(numbers ?? '') && whole.length === (numbers ?? '').length + 3 ? whole : '',
    )
    .replaceAll(CONTROLS, '');
  if (text.length <= MAX_LOG_LINE) return text;
  return text.slice(0, MAX_LOG_LINE - CUT.length).replace(HALF, '') + CUT;
}

/** Nothing to be seen. */
export const isBlank = (text: string): boolean => BLANK.test(text);
