/**
 * The regular expressions that a log can be searched with: what JavaScript and Postgres understand alike. Read here, since
 * neither says where a fault is.
 */

export interface PatternFault {
  message: string;
  /** Index of the character at fault. */
  position: number;
}
/** The pattern as Postgres spells it. JavaScript takes it as it was written. */
export type ReadPattern = { ok: true; postgres: string } | ({ ok: false } & PatternFault);

/** Postgres has no larger one. */
const MAX_REPEAT = 255;
const SHORTHANDS = 'dDwWsS';
/** Word borders have another letter there; the others are the same. */
const ESCAPES: Record<string, string> = { b: '\\y', B: '\\Y', t: '\\t' };
const LOOKAROUND = /^\(\?(?:<?[=!])/;

class Fault extends Error {
  readonly position: number;
  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

export function readPattern(pattern: string): ReadPattern {
  try {
    return { ok: true, postgres: translate(pattern) };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, message: error.message, position: error.position };
    throw error;
  }
}

function translate(pattern: string): string {
  const open: { at: number; isLookaround: boolean }[] = [];
  let postgres = '';
  let mayRepeat = false;
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at]!;
    let length = 1;
    let written = char;
    const couldRepeat = mayRepeat;
    mayRepeat = true;
    if (char === '\\') ({ length, written, mayRepeat } = readEscape(pattern, at));
    else if (char === '[') ({ length, written } = readClass(pattern, at));
    else if (char === '(') {
      written = readGroup(pattern, at);
      length = written.length;
      open.push({ at, isLookaround: LOOKAROUND.test(written) });
      mayRepeat = false;
    } else if (char === ')') {
      const group = open.pop();
      if (!group) throw new Fault('This bracket closes nothing. Write \\) for the character.', at);
      mayRepeat = !group.isLookaround;
    } else if ('*+?{'.includes(char)) {
      if (!couldRepeat)
        throw new Fault(`There is nothing to repeat before "${char}". Write \\${char} for the character.`, at);
      length = readRepeat(pattern, at);
      written = pattern.slice(at, at + length);
      mayRepeat = false;
    } else if (char === '}' || char === ']') throw new Fault(`Write \\${char} for the character.`, at);
    else if ('^$|'.includes(char)) mayRepeat = false;
    postgres += written;
    at += length;
  }
  const unclosed = open.at(-1);
  if (unclosed) throw new Fault('This bracket is not closed. Write \\( for the character.', unclosed.at);
  return postgres;
}

function readEscape(pattern: string, at: number): { length: number; written: string; mayRepeat: boolean } {
  const char = pattern[at + 1];
  if (char === undefined) throw new Fault('The pattern ends with a backslash. Write \\\\ for the character.', at);
  if (SHORTHANDS.includes(char)) return { length: 2, written: `\\${char}`, mayRepeat: true };
  const known = ESCAPES[char];
  if (known) return { length: 2, written: known, mayRepeat: char === 't' };
  if (/[\p{L}\p{N}_]/u.test(char)) throw new Fault(`"\\${char}" cannot be searched for.`, at);
  return { length: 2, written: `\\${char}`, mayRepeat: true };
}

/** @returns how the group begins */
function readGroup(pattern: string, at: number): string {
  const [, begin] = /^(\((?:\?(?::|<?[=!]))?)/.exec(pattern.slice(at))!;
  if (begin === '(' && pattern[at + 1] === '?')
    throw new Fault('Only (?:…), (?=…), (?!…), (?<=…) and (?<!…) can follow "(?".', at);
  return begin!;
}

/** @returns the length of `*`, `+`, `?` or `{n,m}`, with the `?` that makes it take as little as it can */
function readRepeat(pattern: string, at: number): number {
  const [whole, least, , most] = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/.exec(pattern.slice(at)) ?? [];
  if (whole === undefined)
    throw new Fault('Braces hold how often: {2}, {2,} or {2,5}. Write \\{ for the character.', at);
  if (Number(least ?? 0) > MAX_REPEAT || Number(most || 0) > MAX_REPEAT)
    throw new Fault(`Nothing can be repeated more than ${MAX_REPEAT} times.`, at);
  if (most && Number(least) > Number(most)) throw new Fault('The larger number comes second.', at);
  return whole.length;
}

function readClass(pattern: string, begin: number): { length: number; written: string } {
  let at = begin + 1;
  let written = '[';
  if (pattern[at] === '^') written += pattern[at++];
  /** Left end of a range that may follow; null after a shorthand. */
  let left: string | null = null;
  for (let isFirst = true; pattern[at] !== ']'; isFirst = false) {
    if (at >= pattern.length) throw new Fault('This bracket is not closed. Write \\[ for the character.', begin);
    const isRange = !isFirst && pattern[at] === '-' && pattern[at + 1] !== ']' && at + 1 < pattern.length;
    const dash = at;
    if (isRange) at++;
    const item = readItem(pattern, at);
    if (isRange) {
      if (left === null || item.char === null)
        throw new Fault('A range needs a character on both sides. Write \\- for a dash.', dash);
      if (left.codePointAt(0)! > item.char.codePointAt(0)!)
        throw new Fault('The end of this range comes before its beginning.', dash);
    }
    written += (isRange ? '-' : '') + item.written;
    left = isRange ? null : item.char;
    at += item.length;
  }
  if (pattern[at - 1] === '[' || (written === '[^' && pattern[at - 1] === '^'))
    throw new Fault('These brackets hold nothing.', begin);
  return { length: at + 1 - begin, written: `${written}]` };
}

/** One member of a class. @returns `char` null for a shorthand, which stands for many */
function readItem(pattern: string, at: number): { length: number; written: string; char: string | null } {
  const escaped = pattern[at] === '\\';
  if (escaped && 'dws'.includes(pattern[at + 1] ?? '-'))
    return { length: 2, written: pattern.slice(at, at + 2), char: null };
  if (escaped && 'DWSbB'.includes(pattern[at + 1] ?? '-'))
    throw new Fault(`"\\${pattern[at + 1]}" cannot be used within square brackets.`, at);
  if (escaped) {
    const { length, written } = readEscape(pattern, at);
    return { length, written, char: pattern[at + 1] === 't' ? '\t' : pattern[at + 1]! };
  }
  const char = String.fromCodePoint(pattern.codePointAt(at)!);
  // Within square brackets these begin something else in Postgres.
  return { length: char.length, written: /[[\]^-]/.test(char) ? `\\${char}` : char, char };
}
