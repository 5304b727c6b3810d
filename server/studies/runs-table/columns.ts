/** Columns of the index: one array a field, so that sorting and filtering ten thousand runs touches little memory. */
import type { RunFieldKind } from '@mealtable/protocol/run-query-fields';
import type { RunCell } from '@mealtable/protocol/run-query-view';

/** Numbers, durations, dates; booleans as 0 and 1. NaN is a value: `has` says whether there is one. */
export interface NumberColumn {
  kind: 'number';
  isBoolean: boolean;
  values: Float64Array;
  has: Uint8Array;
}
/** Each text once, and its number in every row; -1 for none. Lists are texts of their entries, joined. */
export interface TextColumn {
  kind: 'text';
  codes: Int32Array;
  words: string[];
  byWord: Map<string, number>;
  /** Of lists: the entries behind each word. */
  entries: (readonly string[])[] | null;
  /** Place of each word in their order; made when needed, dropped when a word is added. */
  ranks: Int32Array | null;
}
export type Column = NumberColumn | TextColumn;

export function makeColumn(kind: RunFieldKind, rows: number): Column {
  if (kind === 'text' || kind === 'choice' || kind === 'list')
    return {
      kind: 'text',
      codes: new Int32Array(rows).fill(-1),
      words: [],
      byWord: new Map(),
      entries: kind === 'list' ? [] : null,
      ranks: null,
    };
  return { kind: 'number', isBoolean: kind === 'boolean', values: new Float64Array(rows), has: new Uint8Array(rows) };
}

/** A value of another type than the column's is written as text where it can be, and is none where it cannot. */
export function setCell(column: Column, row: number, cell: RunCell): void {
  if (column.kind === 'number') {
    const value = typeof cell === 'boolean' ? Number(cell) : cell;
    column.has[row] = typeof value === 'number' ? 1 : 0;
    column.values[row] = typeof value === 'number' ? value : 0;
    return;
  }
  if (cell === null) {
    column.codes[row] = -1;
    return;
  }
  const entries = typeof cell === 'object' ? cell : [String(cell)];
  const word = entries.join(', ');
  let code = column.byWord.get(word);
  if (code === undefined) {
    code = column.words.length;
    column.words.push(word);
    column.entries?.push(entries);
    column.byWord.set(word, code);
    column.ranks = null;
  }
  column.codes[row] = code;
}

export function getCell(column: Column, row: number): RunCell {
  if (column.kind === 'number') {
    if (column.has[row] === 0) return null;
    return column.isBoolean ? column.values[row] === 1 : column.values[row]!;
  }
  const code = column.codes[row]!;
  if (code < 0) return null;
  return column.entries ? column.entries[code]! : column.words[code]!;
}

/** Numbers within texts count as numbers: resnet50 comes before resnet152. */
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
/** So many texts are compared letter by letter instead, which is ten times as fast. */
const MANY = 2_000;

export function ranksOf(column: TextColumn): Int32Array {
  if (column.ranks) return column.ranks;
  const { words } = column;
  const byLetters = (a: number, b: number) => (words[a]! < words[b]! ? -1 : words[a]! > words[b]! ? 1 : 0);
  const order = words
    .map((_, code) => code)
    .sort(words.length > MANY ? byLetters : (a, b) => collator.compare(words[a]!, words[b]!) || byLetters(a, b));
  const ranks = new Int32Array(words.length);
  order.forEach((code, rank) => {
    ranks[code] = rank;
  });
  column.ranks = ranks;
  return ranks;
}
