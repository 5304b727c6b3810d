/** A query as a question about one row of the index. Texts are asked once each, however many runs have them. */
import type { Condition, Query } from '@mealtable/protocol/run-query';
import type { RunField } from '@mealtable/protocol/run-query-fields';
import { DAY } from '@mealtable/protocol/run-query-tokens';
import type { QueryValue } from '@mealtable/protocol/run-query-values';
import type { NumberColumn, TextColumn } from './columns.ts';
import type { RunIndex } from './run-index.ts';

export type Test = (row: number) => boolean;
type Comparison = Extract<Condition, { kind: 'compare' }>['comparison'];

/** @param now milliseconds since 1970: what `ago` and `today` count from. All metrics asked for must be loaded. */
export function makeTest(query: Query | null, index: RunIndex, now: number, isVisitor: boolean): Test {
  if (query === null) return () => true;
  switch (query.kind) {
    case 'and': {
      const parts = query.parts.map((part) => makeTest(part, index, now, isVisitor));
      return (row) => parts.every((test) => test(row));
    }
    case 'or': {
      const parts = query.parts.map((part) => makeTest(part, index, now, isVisitor));
      return (row) => parts.some((test) => test(row));
    }
    case 'not': {
      const test = makeTest(query.of, index, now, isVisitor);
      return (row) => !test(row);
    }
    default:
      return conditionTest(query, index, now, isVisitor);
  }
}

function conditionTest(condition: Condition, index: RunIndex, now: number, isVisitor: boolean): Test {
  if (condition.kind === 'words') {
    const wanted = condition.text.toLowerCase();
    return (row) => index.haystack(row, isVisitor).includes(wanted);
  }
  const { field } = condition;
  const column = index.column(field, now);
  switch (condition.kind) {
    case 'contains': {
      const wanted = condition.text.toLowerCase();
      const test = entryTest(column as TextColumn, field, index, (entry) => entry.toLowerCase().includes(wanted));
      return test;
    }
    case 'has': {
      const wanted = condition.text.toLowerCase();
      return entryTest(column as TextColumn, field, index, (entry) => entry.toLowerCase() === wanted);
    }
    case 'in': {
      const tests = condition.values.map((value) => equals(column, value, now));
      return (row) => tests.some((test) => test(row));
    }
    case 'compare':
      return compare(column, condition.comparison, condition.value, now);
  }
}

/** Of a text the whole, of a list any entry; a teacher is its network, too. */
function entryTest(column: TextColumn, field: RunField, index: RunIndex, fits: (entry: string) => boolean): Test {
  const answers = column.words.map((word, code) => (column.entries ? column.entries[code]!.some(fits) : fits(word)));
  const byWord: Test = (row) => answers[column.codes[row]!] ?? false;
  if (field.name !== 'teachers') return byWord;
  return (row) => byWord(row) || index.runs[row]!.teacherNetworks.some(fits);
}

const exists = (column: NumberColumn | TextColumn): Test =>
  column.kind === 'number' ? (row) => column.has[row] === 1 : (row) => column.codes[row]! >= 0;

function compare(column: NumberColumn | TextColumn, comparison: Comparison, value: QueryValue, now: number): Test {
  if (comparison === '=') return equals(column, value, now);
  if (comparison === '!=') {
    const test = equals(column, value, now);
    return (row) => !test(row);
  }
  // The reader lets only numbers through here.
  const { values, has } = column as NumberColumn;
  const { from, to } = rangeOf(value, now);
  const inOrder: Record<Exclude<Comparison, '=' | '!='>, (x: number) => boolean> = {
    '<': (x) => x < from,
    '<=': (x) => x <= to,
    '>': (x) => x > to,
    '>=': (x) => x >= from,
  };
  const test = inOrder[comparison];
  return (row) => has[row] === 1 && test(values[row]!);
}

function equals(column: NumberColumn | TextColumn, value: QueryValue, now: number): Test {
  if (value.kind === 'none') {
    const test = exists(column);
    return (row) => !test(row);
  }
  if (column.kind === 'text') {
    const wanted = value.kind === 'text' ? value.value.toLowerCase() : '';
    const answers = column.words.map((word) => word.toLowerCase() === wanted);
    return (row) => answers[column.codes[row]!] ?? false;
  }
  const { values, has } = column;
  const { from, to } = rangeOf(value, now);
  if (Number.isNaN(from)) return (row) => has[row] === 1 && Number.isNaN(values[row]!);
  return (row) => has[row] === 1 && values[row]! >= from && values[row]! <= to;
}

/** What counts as equal, both ends included: a date is as long as it was written. */
function rangeOf(value: QueryValue, now: number): { from: number; to: number } {
  switch (value.kind) {
    case 'number':
      return { from: value.value, to: value.value };
    case 'boolean':
      return { from: Number(value.value), to: Number(value.value) };
    case 'date':
      return { from: value.value, to: value.value + value.lasts - 1 };
    case 'ago':
      return { from: now - value.value, to: now - value.value };
    case 'today': {
      const from = Math.floor(now / DAY) * DAY;
      return { from, to: from + DAY - 1 };
    }
    case 'none':
    case 'text':
      throw new Error('A text is in no order.');
  }
}
