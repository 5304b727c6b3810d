/** Reads what a field is compared with, by the field's kind; what does not fit is a fault at its place, with the text that would. */

import type { RunField, RunFieldKind } from './run-query-fields.ts';
import { nearest } from './run-query-nearest.ts';
import { Fault, quoteName, quoteText, type Span, type Token } from './run-query-tokens.ts';

/** `none` stands for no value. Dates last as long as they were written: a day, a minute. */
export type QueryValue =
  | { kind: 'none' }
  | { kind: 'number'; value: number }
  | { kind: 'text'; value: string }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'date'; value: number; lasts: number }
  /** So many milliseconds before the query is answered. */
  | { kind: 'ago'; value: number }
  /** The day on which it is answered. */
  | { kind: 'today' };

/** "is a number" */
export const KIND_WORDS: Record<RunFieldKind, string> = {
  number: 'is a number',
  text: 'is text',
  choice: 'is one of a few words',
  list: 'is a list',
  boolean: 'is true or false',
  duration: 'is a duration',
  date: 'is a date',
};
const NUMBERS: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
};
const is = (field: RunField) => `\`${field.name}\` ${KIND_WORDS[field.kind]}`;
const isText = (token: Token) => token.kind === 'word' || token.kind === 'text';

/** @param next the token after it, which may be `ago` @returns how many tokens the value took */
export function readValue(field: RunField, token: Token, next: Token): { value: QueryValue; taken: number } {
  if (token.kind === 'word' && token.text.toLowerCase() === 'none') return { value: { kind: 'none' }, taken: 1 };
  if (token.kind === 'end' || token.kind === 'sign' || token.kind === 'name')
    throw new Fault(`Say what \`${field.name}\` is compared with, such as ${exampleOf(field)}.`, token);
  const value = READERS[field.kind](field, token, next);
  return { value, taken: value.kind === 'ago' ? 2 : 1 };
}

type Reader = (field: RunField, token: Token, next: Token) => QueryValue;

const READERS: Record<RunFieldKind, Reader> = {
  number(field, token) {
    if (token.kind === 'number') return { kind: 'number', value: token.value };
    const named = token.kind === 'word' ? NUMBERS[token.text.toLowerCase()] : undefined;
    if (named !== undefined) return { kind: 'number', value: named };
    const digits = Number.parseFloat(token.text);
    const fix = Number.isNaN(digits) ? undefined : replace(token, String(digits));
    const was = isText(token) ? `"${token.text}" is text` : `${token.text} is a ${token.kind}`;
    throw new Fault(`${is(field)}, but ${was}. Write a number, such as ${fix?.text ?? '70'}.`, token, fix);
  },
  text(field, token) {
    if (isText(token)) return { kind: 'text', value: token.text };
    const fix = replace(token, quoteText(token.text));
    throw new Fault(`${is(field)}, but ${token.text} is a ${token.kind}. Write ${fix.text} for the text.`, token, fix);
  },
  choice(field, token) {
    const values = field.values ?? [];
    const value = values.find((known) => known.toLowerCase() === token.text.toLowerCase());
    if (value !== undefined) return { kind: 'text', value };
    const near = nearest(token.text, values);
    const fix = near === null ? undefined : replace(token, near);
    const end = near === null ? `It is one of ${values.join(', ')}.` : `Did you mean ${near}?`;
    throw new Fault(`\`${field.name}\` is never "${token.text}". ${end}`, token, fix);
  },
  list: (field, token, next) => READERS.text(field, token.kind === 'number' ? { ...token, kind: 'word' } : token, next),
  boolean(field, token) {
    if (token.text === 'true' || token.text === 'false') return { kind: 'boolean', value: token.text === 'true' };
    const lower = token.text.toLowerCase();
    const meant = /^(yes|on|1|true)$/.test(lower) ? 'true' : /^(no|off|0|false)$/.test(lower) ? 'false' : null;
    const fix = meant === null ? undefined : replace(token, meant);
    throw new Fault(`${is(field)}. Write ${meant ?? 'true or false'}.`, token, fix);
  },
  duration(field, token) {
    if (token.kind === 'duration') return { kind: 'number', value: token.value };
    const fix = token.kind === 'number' ? replace(token, `${Math.abs(token.value)}min`) : undefined;
    throw new Fault(`${is(field)}: write a unit too, such as ${fix?.text ?? '90s'}, 5min, 2h or 3d.`, token, fix);
  },
  date(field, token, next) {
    if (token.kind === 'date') return { kind: 'date', value: token.value, lasts: token.lasts };
    if (token.kind === 'word' && token.text.toLowerCase() === 'today') return { kind: 'today' };
    if (token.kind !== 'duration')
      throw new Fault(`${is(field)}: write one, such as 2026-11-26, today or 3d ago.`, token);
    if (next.kind === 'word' && next.text.toLowerCase() === 'ago') return { kind: 'ago', value: token.value };
    const fix = { from: token.to, to: token.to, text: ' ago' };
    throw new Fault(`${is(field)}: write ${token.text} ago for the time that long before now.`, token, fix);
  },
};

const replace = ({ from, to }: Span, text: string) => ({ from, to, text });

/** What a field might be compared with, for sentences and completion. */
export function exampleOf(field: RunField): string {
  const [first] = field.values ?? [];
  if (field.kind === 'choice') return first ?? 'none';
  if (field.kind === 'text' || field.kind === 'list') return quoteText(first ?? 'resnet50');
  return { number: '70', boolean: 'true', duration: '2h', date: '3d ago' }[field.kind];
}

/** Whole example conditions: what a fault about an operator offers. */
export function exampleCondition(field: RunField): string {
  const name = quoteName(field.name);
  if (field.kind === 'list') return `${name} has ${exampleOf(field)}`;
  const sign = field.kind === 'text' ? '~' : field.kind === 'choice' || field.kind === 'boolean' ? '=' : '>';
  return `${name} ${sign} ${exampleOf(field)}`;
}
