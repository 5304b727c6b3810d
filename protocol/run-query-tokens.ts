/** Reads the text of a query into tokens. Every token knows its place, so that a fault can be shown where it is. */

export interface Span {
  /** Index of the first character. */
  from: number;
  /** Index after the last one. */
  to: number;
}
/** A change of the text that cures a fault. */
export interface QueryFix extends Span {
  text: string;
}
export interface QueryFault extends Span {
  message: string;
  fix?: QueryFix;
}

/** Thrown while a query is read, and caught where reading began. */
export class Fault extends Error {
  readonly fault: QueryFault;
  constructor(message: string, { from, to }: Span, fix?: QueryFix) {
    super(message);
    this.fault = fix ? { message, from, to, fix } : { message, from, to };
  }
}

export type Token = Span &
  (
    | { kind: 'word'; text: string }
    /** A field's name between backticks. */
    | { kind: 'name'; text: string }
    | { kind: 'text'; text: string }
    | { kind: 'number'; text: string; value: number }
    /** Milliseconds. */
    | { kind: 'duration'; text: string; value: number }
    /** Milliseconds since 1970, and how long what was written lasts: a day, a minute, a second. */
    | { kind: 'date'; text: string; value: number; lasts: number }
    | { kind: 'sign'; text: string }
    | { kind: 'end'; text: '' }
  );

const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const DAY = 1_440 * MINUTE;
const UNITS: Record<string, number> = {
  ms: 1,
  s: SECOND,
  m: MINUTE,
  min: MINUTE,
  h: 60 * MINUTE,
  d: DAY,
  w: 7 * DAY,
};

const WORD = /[\p{L}_][\p{L}\p{N}_./-]*/uy;
const DATE = /(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?Z?)?(?![\p{L}\p{N}_])/uy;
const DURATION = /(?:\d+(?:\.\d+)?(?:ms|min|[smhdw]))+(?![\p{L}\p{N}_])/uy;
const NUMBER = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?%?/iy;
/** What begins like a number and goes on like a name: an id, a version. */
const NUMBER_WORD = /[\p{L}\p{N}_./-]+/uy;
const SIGN = /!=|!~|<=|>=|==|&&|\|\||[=<>~!(),]/y;

const at = (pattern: RegExp, text: string, from: number): RegExpExecArray | null => {
  pattern.lastIndex = from;
  return pattern.exec(text);
};

/** @returns the tokens up to the first fault, the last of them an end, and that fault */
export function readTokens(text: string): { tokens: Token[]; fault: QueryFault | null } {
  const tokens: Token[] = [];
  const end = (from: number): Token => ({ kind: 'end', text: '', from, to: from });
  for (let from = 0; from < text.length; ) {
    if (/\s/.test(text[from]!)) {
      from++;
      continue;
    }
    try {
      const token = readToken(text, from);
      tokens.push(token);
      from = token.to;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { tokens: [...tokens, end(from)], fault: error.fault };
    }
  }
  return { tokens: [...tokens, end(text.length)], fault: null };
}

function readToken(text: string, from: number): Token {
  const char = text[from]!;
  if (char === '"' || char === "'" || char === '`') return readQuoted(text, from, char);
  const word = at(WORD, text, from)?.[0];
  if (word !== undefined) return { kind: 'word', text: word, from, to: from + word.length };
  const date = at(DATE, text, from);
  if (date) return readDate(date, from);
  const duration = at(DURATION, text, from)?.[0];
  if (duration !== undefined)
    return { kind: 'duration', text: duration, value: millisecondsOf(duration), from, to: from + duration.length };
  const number = at(NUMBER, text, from)?.[0];
  if (number !== undefined) {
    const whole = at(NUMBER_WORD, text, from)?.[0] ?? '';
    if (whole.length > number.length) return { kind: 'word', text: whole, from, to: from + whole.length };
    return { kind: 'number', text: number, value: Number(number.replace('%', '')), from, to: from + number.length };
  }
  const sign = at(SIGN, text, from)?.[0];
  if (sign !== undefined) return { kind: 'sign', text: sign, from, to: from + sign.length };
  const shown = String.fromCodePoint(text.codePointAt(from)!);
  throw new Fault(`"${shown}" has no meaning here. Put text into quotes.`, { from, to: from + shown.length });
}

function readQuoted(text: string, from: number, quote: string): Token {
  let value = '';
  for (let i = from + 1; i < text.length; i++) {
    const char = text[i]!;
    if (char === quote) return { kind: quote === '`' ? 'name' : 'text', text: value, from, to: i + 1 };
    if (char === '\\' && i + 1 < text.length) value += text[++i];
    else value += char;
  }
  throw new Fault(
    `This ${quote === '`' ? 'name' : 'text'} has no closing ${quote}.`,
    { from, to: text.length },
    // A backslash at the end would make the quote a part of the text.
    { from: text.length, to: text.length, text: /(^|[^\\])(\\\\)*\\$/.test(text.slice(from)) ? `\\${quote}` : quote },
  );
}

function readDate(match: RegExpExecArray, from: number): Token {
  const [text] = match;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0)) as [
    ...[number, number, number, number, number, number],
  ];
  const span = { from, to: from + text.length };
  const value = Date.UTC(year, month - 1, day, hour, minute, second);
  const made = new Date(value);
  const isReal =
    made.getUTCMonth() === month - 1 && made.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!isReal) throw new Fault(`There is no ${text}: dates are year-month-day, such as 2026-11-26.`, span);
  const lasts = match[4] === undefined ? DAY : match[6] === undefined ? MINUTE : SECOND;
  return { kind: 'date', text, value, lasts, ...span };
}

function millisecondsOf(duration: string): number {
  let sum = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|min|[smhdw])/g))
    sum += Number(amount) * UNITS[unit!]!;
  return sum;
}

/** As a query would have to write it. */
export const quoteText = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
/** A name needs backticks where it would be read as something else. */
export const quoteName = (name: string): string =>
  at(WORD, name, 0)?.[0] === name && !KEYWORDS.has(name.toLowerCase())
    ? name
    : `\`${name.replaceAll(/[`\\]/g, '\\$&')}\``;
export const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'has', 'ago', 'none']);
