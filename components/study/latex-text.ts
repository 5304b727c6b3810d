/** Names as LaTeX sets them, with pdfTeX too, which has letters for few signs. Names are anybody's. */

const SIGNS: Record<string, string> = {
  // Behind the end of a row these two would be an option of that end.
  '[': '{[}',
  '*': '{*}',
  '\\': '\\textbackslash{}',
  '^': '\\^{}',
  '~': '\\~{}',
  '<': '$<$',
  '>': '$>$',
  '|': '$|$',
  '"': "''",
  '·': '$\\cdot$',
  '×': '$\\times$',
  '±': '$\\pm$',
  '−': '$-$',
  '–': '--',
  '—': '---',
  '‘': '`',
  '’': "'",
  '“': '``',
  '”': "''",
  '…': '\\ldots{}',
  '≈': '$\\approx$',
  '≤': '$\\leq$',
  '≥': '$\\geq$',
  '→': '$\\rightarrow$',
  '°': '$^\\circ$',
  µ: '$\\mu$',
  ß: '\\ss{}',
  æ: '\\ae{}',
  Æ: '\\AE{}',
  ø: '\\o{}',
  Ø: '\\O{}',
  œ: '\\oe{}',
  Œ: '\\OE{}',
  ł: '\\l{}',
  Ł: '\\L{}',
};
const GREEK =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega';
const GREEK_LETTERS = 'αβγδεζηθικλμνξπρστυφχψω';
GREEK.split(' ').forEach((name, i) => {
  SIGNS[GREEK_LETTERS[i]!] = `$\\${name}$`;
});

/** By combining sign. */
const ACCENTS: Record<string, string> = {
  '\u0300': '`',
  '\u0301': "'",
  '\u0302': '^',
  '\u0303': '~',
  '\u0304': '=',
  '\u0306': 'u',
  '\u0307': '.',
  '\u0308': '"',
  '\u030a': 'r',
  '\u030b': 'H',
  '\u030c': 'v',
  '\u0327': 'c',
};

/** Signs that the fonts would draw as one with the sign before them. */
const LIGATURES = new Set(['--', "''", '``', '?`', '!`', ',,', '""']);

/** A longer word may be broken after every so many signs: a path or a name of 300 letters must not leave the page. */
const LONG_WORD = 40;
const BREAK_EVERY = 20;
const BREAK = '\\allowbreak{}';

function setSign(sign: string): string {
  const known = SIGNS[sign];
  if (known !== undefined) return known;
  if (/[{}&%$#_]/.test(sign)) return `\\${sign}`;
  if (sign >= ' ' && sign <= '\u007e') return sign;
  const [letter = '', accent = '', ...more] = sign.normalize('NFD');
  const command = ACCENTS[accent];
  if (command !== undefined && more.length === 0 && /[A-Za-z]/.test(letter))
    return `\\${command}{${/[ij]/.test(letter) && command !== 'c' ? `\\${letter}` : letter}}`;
  // No font of LaTeX's own has it: its number is better than nothing, or than a paper that does not compile.
  return `{\\ttfamily U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}}${BREAK}`;
}

function setWord(word: string): string {
  const signs = Array.from(word);
  return signs
    .map((sign, i) => {
      const apart = LIGATURES.has(`${signs[i - 1] ?? ''}${sign}`) ? '{}' : '';
      const mayBreak = signs.length > LONG_WORD && i > 0 && i % BREAK_EVERY === 0;
      return (mayBreak ? BREAK : apart) + setSign(sign);
    })
    .join('');
}

/** Text mode, one line. */
export const latexText = (text: string): string =>
  text.normalize('NFC').replace(/\s+/gu, ' ').split(' ').map(setWord).join(' ');

/** Letters that a text takes, about: one that stands as its number takes six. */
export const latexLength = (text: string): number =>
  Array.from(text).reduce((sum, sign) => sum + (setSign(sign).startsWith('{\\ttfamily') ? 6 : 1), 0);

/** What labels may be made of. */
export const latexWord = (text: string): string => text.replace(/[^A-Za-z0-9:.-]+/g, '-');
