/** Colours and styles of terminal output as classes: text stays text, whatever it holds. */
import { REWRITTEN, SGR } from '@mealtable/protocol/output';

export interface Span {
  text: string;
  className: string;
}

/** Black, red, green, yellow, blue, magenta, cyan, white: readable on every surface, in both themes. */
const INKS = [
  'text-ink-3',
  'text-bad',
  'text-good',
  'text-warn',
  'text-accent',
  'text-fuchsia-800 dark:text-fuchsia-300',
  'text-cyan-800 dark:text-cyan-300',
  'text-ink',
];
const PAPERS = [
  'bg-sunken',
  'bg-bad-soft',
  'bg-good-soft',
  'bg-warn-soft',
  'bg-accent-soft',
  'bg-fuchsia-500/15',
  'bg-cyan-500/15',
  'bg-hover',
];
/** What a number switches on, and which others it switches off with it. */
const STYLES: Record<number, string> = {
  1: 'font-bold',
  2: 'opacity-70',
  3: 'italic',
  4: 'underline',
  7: 'bg-hover',
  9: 'line-through',
};
const ENDS: Record<number, number[]> = { 22: [1, 2], 23: [3], 24: [4], 27: [7], 29: [9] };

interface Look {
  ink: string;
  paper: string;
  styles: Set<number>;
}

/** The pieces of a line, in order; each in one look. */
export function parseAnsi(line: string): Span[] {
  const text = line.endsWith(REWRITTEN) ? line.slice(0, -1) : line;
  const spans: Span[] = [];
  let look: Look = { ink: '', paper: '', styles: new Set() };
  let at = 0;
  const push = (end: number) => {
    if (end > at) spans.push({ text: text.slice(at, end), className: classOf(look) });
  };
  for (const match of text.matchAll(SGR)) {
    push(match.index);
    look = change(look, match[0].slice(2, -1));
    at = match.index + match[0].length;
  }
  push(text.length);
  return spans;
}

const classOf = ({ ink, paper, styles }: Look): string =>
  [ink, paper, ...[...styles].map((style) => STYLES[style])].filter(Boolean).join(' ');

function change(before: Look, parameters: string): Look {
  const look = { ...before, styles: new Set(before.styles) };
  const codes = parameters.split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) Object.assign(look, { ink: '', paper: '', styles: new Set() });
    else if (STYLES[code]) look.styles.add(code);
    else if (ENDS[code]) for (const style of ENDS[code]) look.styles.delete(style);
    else if (code === 38 || code === 48) {
      const [colour, length] = readColour(codes.slice(i + 1));
      if (code === 38) look.ink = INKS[colour] ?? '';
      else look.paper = PAPERS[colour] ?? '';
      i += length;
    } else if (code === 39) look.ink = '';
    else if (code === 49) look.paper = '';
    else if (code >= 30 && code <= 37) look.ink = INKS[code - 30]!;
    else if (code >= 90 && code <= 97) look.ink = INKS[code - 90]!;
    else if (code >= 40 && code <= 47) look.paper = PAPERS[code - 40]!;
    else if (code >= 100 && code <= 107) look.paper = PAPERS[code - 100]!;
  }
  return look;
}

/** The nearest of the eight colours to `5;n` or `2;r;g;b`, and how many numbers that took. */
function readColour([kind, ...rest]: number[]): [colour: number, length: number] {
  if (kind === 2) return [nearest(rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0), 4];
  const n = rest[0] ?? 0;
  if (n < 16) return [n % 8, 2];
  if (n >= 232) return [n < 244 ? 0 : 7, 2];
  const cube = n - 16;
  return [nearest(Math.floor(cube / 36) * 51, (Math.floor(cube / 6) % 6) * 51, (cube % 6) * 51), 2];
}

/** One bit per channel that is at least two thirds of the strongest one; greys are white or black. */
function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  if (most < 64) return 0;
  return [red, green, blue].reduce((bits, channel, i) => bits | (channel * 3 >= most * 2 ? 1 << i : 0), 0);
}
