/** What is kept of a printed line: its text, tabs and colours. */
import { MAX_LOG_LINE } from '@mealtable/protocol/tunables';

const CUT = ' … (cut)';
const ESC = '\u001b';
/** Escape sequences: operating system commands (titles, links), control sequences (of which `m` are colours), and all others. */
const SEQUENCES = new RegExp(
  `${ESC}\\][^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\|$)|${ESC}\\[([0-?]*)[ -/]*([@-~]|$)|${ESC}[ -/]*[0-~]?`,
  'g',
);
/** Control characters but tab and escape, and what Unicode has to reorder or hide text with lines' ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000a-\u001a\u001c-\u001f\u007f-\u009f\u2028\u2029]/g;
const COLOUR = /^[0-9;:]*$/;

/** Drops everything that moves a cursor, rings or talks to a terminal; cuts and marks a line above the limit. */
export function cleanText(printed: string): string {
  const text = printed
    .replaceAll(SEQUENCES, (whole, numbers: string | undefined, final: string | undefined) =>
      final === 'm' && COLOUR.test(numbers ?? '') && whole.length === (numbers ?? '').length + 3 ? whole : '',
    )
    .replaceAll(CONTROLS, '');
  if (text.length <= MAX_LOG_LINE) return text;
  const kept = text.slice(0, MAX_LOG_LINE - CUT.length);
  // Neither half a colour nor half a character before the mark.
  return `${kept.replace(/(?:\u001b\[?[0-9;:]*|[\ud800-\udbff])$/, '')}${CUT}`;
}

/** Nothing to be seen: blanks and colours at most. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that colours begin with
export const isBlank = (text: string): boolean => /^(?:\s|\u001b\[[0-9;:]*m)*$/.test(text);
