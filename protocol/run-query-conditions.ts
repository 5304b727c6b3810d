/** One condition of a query: a field, how it is compared, and with what. */
import type { Reader } from './run-query.ts';
import type { RunField } from './run-query-fields.ts';
import { nearest } from './run-query-nearest.ts';
import { Fault, KEYWORDS, quoteName, quoteText, type Token } from './run-query-tokens.ts';
import { exampleCondition, KIND_WORDS, type QueryValue, readValue } from './run-query-values.ts';

export const COMPARISONS = ['=', '!=', '<', '<=', '>', '>='] as const;
export type Comparison = (typeof COMPARISONS)[number];

export type Condition =
  | { kind: 'compare'; field: RunField; comparison: Comparison; value: QueryValue }
  | { kind: 'in'; field: RunField; values: QueryValue[] }
  /** Of a text: it is within. Of a list: it is within some entry. Case does not matter. */
  | { kind: 'contains'; field: RunField; text: string }
  /** Some entry of the list is that. */
  | { kind: 'has'; field: RunField; text: string }
  /** Somewhere in what a table shows of a run. */
  | { kind: 'words'; text: string };

type Negatable = Condition | { kind: 'not'; of: Condition };

const SYNONYMS: Record<string, string> = {
  '==': '=',
  contains: '~',
  like: '~',
  matches: '~',
  is: '=',
  equals: '=',
  includes: 'has',
};

/** `not in`, `not has`, `!~` are the plain ones, negated. */
export function readCondition(reader: Reader): Negatable {
  const token = reader.peek();
  if (token.kind === 'text') return { kind: 'words', text: reader.take().text };
  if (token.kind !== 'word' && token.kind !== 'name') throw noField(token);
  const field = reader.fields.get(token.text);
  if (token.kind === 'word' && KEYWORDS.has(token.text.toLowerCase()) && !field) throw noField(token);
  const next = reader.peek(1);
  const isAlone = next.kind === 'end' || isConnective(next) || (next.kind === 'sign' && next.text === ')');
  if (!field) {
    if (isAlone && token.kind === 'word') return { kind: 'words', text: reader.take().text };
    throw unknownField(reader, token);
  }
  reader.take();
  if (isAlone) {
    if (field.kind === 'boolean')
      return { kind: 'compare', field, comparison: '=', value: { kind: 'boolean', value: true } };
    throw new Fault(`Say what \`${field.name}\` is to be, such as ${exampleCondition(field)}.`, token);
  }
  return readComparison(reader, field);
}

const isConnective = (token: Token) =>
  token.kind === 'word' && (token.text.toLowerCase() === 'and' || token.text.toLowerCase() === 'or');

const noField = (token: Token) =>
  token.kind === 'end'
    ? new Fault('A condition is missing here, such as status = running.', token)
    : new Fault(`A condition begins with a field or a text in quotes, not with ${token.text}.`, token);

function unknownField(reader: Reader, token: Token): Fault {
  const { fields } = reader;
  const near = nearest(token.text, [
    ...fields.withoutMetrics().map(({ name }) => name),
    ...fields.schema.metrics.flatMap((metric) => [
      metric,
      ...suffixed(token.text, metric).filter((name) => fields.get(name)),
    ]),
  ]);
  const { from, to } = token;
  if (near !== null)
    return new Fault(`There is no field \`${token.text}\`. Did you mean \`${near}\`?`, token, {
      from,
      to,
      text: quoteName(near),
    });
  return new Fault(`There is no field \`${token.text}\`. Put it into quotes to look for the text.`, token);
}
/** With the end that was written, so that a mistyped metric keeps it. */
function suffixed(written: string, metric: string): string[] {
  const end = /\.\w+$/.exec(written)?.[0];
  return end ? [metric + end] : [];
}

function readComparison(reader: Reader, field: RunField): Negatable {
  const negated = reader.isWord('not') && (reader.isWord('in', 1) || reader.isWord('has', 1));
  if (negated) reader.take();
  const negate = (condition: Condition, isNegated: boolean): Negatable =>
    isNegated ? { kind: 'not', of: condition } : condition;
  const operator = reader.take();
  const word = operator.text.toLowerCase();
  const { from, to } = operator;
  const synonym = operator.kind === 'word' || operator.kind === 'sign' ? SYNONYMS[word] : undefined;
  if (synonym) {
    const fitting = synonym === '~' || synonym === 'has' || field.kind !== 'list' ? synonym : 'has';
    throw new Fault(`Write ${fitting} for ${operator.text}.`, operator, { from, to, text: fitting });
  }
  if (operator.kind === 'word' && word === 'in') return negate(readIn(reader, field, operator), negated);
  if (operator.kind === 'word' && word === 'has') return negate(readHas(reader, field, operator), negated);
  if (operator.kind === 'sign' && (word === '~' || word === '!~'))
    return negate(readContains(reader, field, operator), word === '!~');
  const comparison = COMPARISONS.find((known) => known === word);
  if (operator.kind !== 'sign' || !comparison)
    throw new Fault(`Say how \`${field.name}\` is compared, such as ${exampleCondition(field)}.`, operator);
  checkOrder(field, comparison, operator);
  const { value, taken } = readValue(field, reader.peek(), reader.peek(1));
  if (value.kind === 'none' && comparison !== '=' && comparison !== '!=')
    throw new Fault('Only = and != go with none.', operator, { from, to, text: '!=' });
  if (field.kind === 'list' && value.kind !== 'none') {
    const text = comparison === '=' ? 'has' : 'not has';
    throw new Fault(`\`${field.name}\` is a list: write ${text} for ${operator.text}.`, operator, { from, to, text });
  }
  reader.take(taken);
  return { kind: 'compare', field, comparison, value };
}

/** Texts and lists are in no order, and neither are true and false. */
function checkOrder(field: RunField, comparison: Comparison, operator: Token): void {
  if (comparison === '=' || comparison === '!=') return;
  if (field.kind === 'number' || field.kind === 'duration' || field.kind === 'date') return;
  const instead = { text: '=, !=, ~ or in', choice: '=, != or in', list: 'has or ~', boolean: '= or !=' }[field.kind];
  throw new Fault(`\`${field.name}\` ${KIND_WORDS[field.kind]} and has no order: use ${instead}.`, operator);
}

function readIn(reader: Reader, field: RunField, operator: Token): Condition {
  if (field.kind === 'list')
    throw new Fault(`\`${field.name}\` is a list: write has for each entry.`, operator, {
      from: operator.from,
      to: operator.to,
      text: 'has',
    });
  const open = reader.peek();
  if (!reader.isSign('(')) {
    const fix = { from: open.from, to: open.to, text: `(${open.kind === 'text' ? quoteText(open.text) : open.text})` };
    throw new Fault(
      'The values stand in brackets, such as in (1, 2).',
      open,
      open.kind === 'end' || open.kind === 'sign' ? undefined : fix,
    );
  }
  reader.take();
  const values: QueryValue[] = [];
  for (;;) {
    const { value, taken } = readValue(field, reader.peek(), reader.peek(1));
    reader.take(taken);
    values.push(value);
    const token = reader.peek();
    if (reader.isSign(',')) reader.take();
    else if (reader.isSign(')')) {
      reader.take();
      return { kind: 'in', field, values };
    } else {
      const isEnd = token.kind === 'end';
      const fix = { from: token.from, to: token.from, text: isEnd ? ')' : ', ' };
      throw new Fault(
        isEnd ? 'This bracket is not closed.' : 'Write a comma between two values.',
        isEnd ? open : token,
        fix,
      );
    }
  }
}

function readHas(reader: Reader, field: RunField, operator: Token): Condition {
  if (field.kind !== 'list') {
    const text = field.kind === 'text' ? '~' : '=';
    throw new Fault(`\`${field.name}\` ${KIND_WORDS[field.kind]}, not a list: write ${text} for has.`, operator, {
      from: operator.from,
      to: operator.to,
      text,
    });
  }
  return { kind: 'has', field, text: readText(reader, field) };
}

function readContains(reader: Reader, field: RunField, operator: Token): Condition {
  if (field.kind === 'text' || field.kind === 'choice' || field.kind === 'list') {
    // Any text will do here, also of a choice: a part of a word is no word of its own.
    return { kind: 'contains', field, text: readText(reader, { ...field, kind: 'text' }) };
  }
  const text = operator.text === '~' ? '=' : '!=';
  throw new Fault(
    `\`${field.name}\` ${KIND_WORDS[field.kind]}: ${operator.text} looks into texts. Write ${text}.`,
    operator,
    {
      from: operator.from,
      to: operator.to,
      text,
    },
  );
}

function readText(reader: Reader, field: RunField): string {
  const token = reader.peek();
  // A number within a text is a text too.
  if (token.kind === 'number' || token.kind === 'date' || token.kind === 'duration') return reader.take().text;
  const { value } = readValue(field, token, reader.peek(1));
  if (value.kind === 'text') return reader.take().text;
  throw new Fault(`Write a text in quotes, such as ${quoteText('none')}.`, token, {
    from: token.from,
    to: token.to,
    text: quoteText(token.text),
  });
}
