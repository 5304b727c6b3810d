/** What can stand where somebody is typing a query. Works on what is left of the cursor: the rest may not make sense yet. */
import type { RunField, RunFields } from './run-query-fields.ts';
import { summariesOf } from './run-query-metrics.ts';
import { quoteName, quoteText, readTokens, type Span, type Token } from './run-query-tokens.ts';
import { KIND_WORDS } from './run-query-values.ts';

export interface Suggestion {
  /** What is shown. */
  label: string;
  /** What is written. */
  text: string;
  /** A remark beside it. */
  detail: string;
}
export interface Completion extends Span {
  /** What is to be written here next, for a heading. */
  wants: 'field' | 'comparison' | 'value' | 'connective';
  options: Suggestion[];
}

const MAX_OPTIONS = 50;

const OPERATORS: Record<RunField['kind'], readonly string[]> = {
  number: ['=', '!=', '>', '>=', '<', '<=', 'in'],
  duration: ['>', '<', '>=', '<='],
  date: ['>', '<', '>=', '<=', '='],
  text: ['~', '=', '!=', '!~', 'in'],
  choice: ['=', '!=', 'in', 'not in'],
  list: ['has', 'not has', '~'],
  boolean: ['=', '!='],
};
const OPERATOR_WORDS: Record<string, string> = {
  '=': 'is',
  '!=': 'is not',
  '>': 'is above, or after',
  '>=': 'is at least',
  '<': 'is below, or before',
  '<=': 'is at most',
  '~': 'contains',
  '!~': 'does not contain',
  in: 'is one of',
  'not in': 'is none of',
  has: 'has the entry',
  'not has': 'does not have the entry',
};

/** @param caret where the cursor stands @returns what may be written from `from` to `to` in the place of what is there */
export function completeQuery(text: string, caret: number, fields: RunFields): Completion {
  const left = text.slice(0, caret);
  const { tokens, fault } = readTokens(left);
  const whole = tokens.slice(0, -1);
  // A text or name that is still open is what is being typed.
  const open = fault && /^["'`]/.test(left.slice(fault.from)) ? fault.from : null;
  const last = whole.at(-1);
  const typed: Span & { text: string } =
    open !== null
      ? { from: open, to: caret, text: left.slice(open + 1) }
      : last && last.to === caret && last.kind !== 'sign'
        ? last
        : last && last.to === caret && last.kind === 'sign' && /^[=!<>~&|]/.test(last.text)
          ? last
          : { from: caret, to: caret, text: '' };
  const before = whole.filter((token) => token.to <= typed.from);
  const { wants, field } = stateAfter(before, fields);
  const written = open === null && last?.kind === 'text' && last.to === caret ? '' : typed.text;
  const options = offers(wants, field, fields, written).filter(
    ({ text: offered }) => offered !== text.slice(typed.from, typed.to),
  );
  return { wants, from: typed.from, to: typed.to, options: options.slice(0, MAX_OPTIONS) };
}

interface State {
  wants: Completion['wants'];
  field: RunField | null;
}

function stateAfter(tokens: readonly Token[], fields: RunFields): State {
  let state: State = { wants: 'field', field: null };
  let isList = false;
  for (const token of tokens) {
    const word = token.kind === 'word' ? token.text.toLowerCase() : '';
    if (state.wants === 'field') {
      if (word === 'not' || token.text === '(') continue;
      const field = token.kind === 'word' || token.kind === 'name' ? fields.get(token.text) : undefined;
      state = field ? { wants: 'comparison', field } : { wants: 'connective', field: null };
    } else if (state.wants === 'comparison') {
      if (word === 'not') continue;
      isList = word === 'in';
      state = { ...state, wants: 'value' };
    } else if (state.wants === 'value') {
      if (token.kind === 'sign' && (token.text === '(' || token.text === ',')) continue;
      if (token.kind === 'sign' && token.text === ')') isList = false;
      if (!isList) state = { wants: 'connective', field: null };
    } else if (word === 'and' || word === 'or') state = { wants: 'field', field: null };
  }
  return state;
}

function offers(wants: State['wants'], field: RunField | null, fields: RunFields, typed: string): Suggestion[] {
  if (wants === 'field') return fieldOffers(fields, typed);
  if (wants === 'connective')
    return matching(['and', 'or'], typed).map((word) => ({ label: word, text: word, detail: '' }));
  if (!field) return [];
  if (wants === 'comparison')
    return matching(OPERATORS[field.kind], typed).map((sign) => ({
      ...{ label: sign, text: sign },
      detail: OPERATOR_WORDS[sign] ?? '',
    }));
  return valueOffers(field, typed);
}

/** Those that begin with it first, then those that hold it. */
function matching<T extends string>(known: readonly T[], typed: string): T[] {
  const wanted = typed.toLowerCase();
  if (wanted === '') return [...known];
  const begins = known.filter((word) => word.toLowerCase().startsWith(wanted));
  return [...begins, ...known.filter((word) => !begins.includes(word) && word.toLowerCase().includes(wanted))];
}

function fieldOffers(fields: RunFields, typed: string): Suggestion[] {
  const offer = (field: RunField): Suggestion => ({
    label: field.name,
    text: quoteName(field.name),
    detail: `${field.words} ${KIND_WORDS[field.kind]}`,
  });
  const plain = new Map(fields.withoutMetrics().map((field) => [field.name, field]));
  const metrics = matching(fields.schema.metrics, typed).slice(0, MAX_OPTIONS);
  const lower = typed.toLowerCase();
  const named = fields.schema.metrics.filter((metric) => lower.startsWith(metric.toLowerCase())).slice(0, MAX_OPTIONS);
  return [
    ...matching([...plain.keys()], typed).map((name) => offer(plain.get(name)!)),
    ...metrics.flatMap((metric) => {
      const field = fields.get(metric);
      return field ? [offer(field)] : [];
    }),
    ...named.flatMap((metric) =>
      matching(
        summariesOf(metric).map((summary) => `${metric}.${summary}`),
        typed,
      ).flatMap((name) => {
        const field = fields.get(name);
        return field ? [offer(field)] : [];
      }),
    ),
  ];
}

function valueOffers(field: RunField, typed: string): Suggestion[] {
  const constants: Partial<Record<RunField['kind'], readonly string[]>> = {
    boolean: ['true', 'false'],
    date: ['today', '1h ago', '1d ago', '7d ago'],
    duration: ['10min', '1h', '12h', '1d'],
  };
  const isQuoted = field.kind === 'text' || field.kind === 'list';
  const known = matching(field.values ?? constants[field.kind] ?? [], typed);
  const none = matching(['none'], typed).filter((word) => typed !== '' && word !== typed);
  return [
    ...known.map((value) => ({ label: value, text: isQuoted ? quoteText(value) : value, detail: '' })),
    ...none.map((word) => ({ label: word, text: word, detail: 'no value' })),
  ];
}
