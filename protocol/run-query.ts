/**
 * The query language of the runs table: `status = running and top1 > 70 and teachers has "resnet152"`.
 * docs/runs-table.md is its reference. Reading never throws: what cannot be read is a fault with its place and, mostly, its cure.
 */
import { type Condition, readCondition } from './run-query-conditions.ts';
import type { RunFields } from './run-query-fields.ts';
import { Fault, type QueryFault, type QueryFix, readTokens, type Token } from './run-query-tokens.ts';

export type { Condition } from './run-query-conditions.ts';
export type { QueryFault, QueryFix } from './run-query-tokens.ts';

export const MAX_QUERY_LENGTH = 2_000;
/** Brackets and `not` within each other: more is no question that somebody asks. */
const MAX_DEPTH = 50;

export type Query =
  | { kind: 'and'; parts: Query[] }
  | { kind: 'or'; parts: Query[] }
  | { kind: 'not'; of: Query }
  | Condition;
/** A null query asks for every run. */
export type QueryReading = { ok: true; query: Query | null } | { ok: false; fault: QueryFault };

/** @param text what somebody typed, whatever it is */
export function readQuery(text: string, fields: RunFields): QueryReading {
  if (text.length > MAX_QUERY_LENGTH)
    return {
      ok: false,
      fault: {
        message: `A filter has at most ${MAX_QUERY_LENGTH} characters.`,
        from: MAX_QUERY_LENGTH,
        to: text.length,
      },
    };
  const { tokens, fault } = readTokens(text);
  try {
    const reader = new Reader(tokens, fields);
    const query = tokens[0]!.kind === 'end' ? null : reader.readAll();
    // A fault of a token is told only when nothing before it is wrong: the first one is to be cured first.
    return fault ? { ok: false, fault } : { ok: true, query };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const isAtEnd = error.fault.from >= tokens.at(-1)!.from;
    return { ok: false, fault: fault && isAtEnd ? fault : error.fault };
  }
}

export const applyFix = (text: string, { from, to, text: written }: QueryFix): string =>
  text.slice(0, from) + written + text.slice(to);

/** Recursive descent: `or` binds least, then `and`, then `not`. */
export class Reader {
  private readonly tokens: readonly Token[];
  readonly fields: RunFields;
  private position = 0;
  private depth = 0;

  constructor(tokens: readonly Token[], fields: RunFields) {
    this.tokens = tokens;
    this.fields = fields;
  }

  /** The token here, or the one so many further; the end repeats. */
  peek(further = 0): Token {
    return this.tokens[Math.min(this.position + further, this.tokens.length - 1)]!;
  }
  take(count = 1): Token {
    const token = this.peek();
    this.position += count;
    return token;
  }
  /** Whether this is the keyword. In quotes it would be text. */
  isWord(word: string, further = 0): boolean {
    const token = this.peek(further);
    return token.kind === 'word' && token.text.toLowerCase() === word;
  }
  isSign(sign: string): boolean {
    const token = this.peek();
    return token.kind === 'sign' && token.text === sign;
  }

  readAll(): Query {
    const query = this.readOr();
    const token = this.peek();
    if (token.kind === 'end') return query;
    if (token.kind === 'sign' && token.text === ')')
      throw new Fault('This bracket closes nothing.', token, { from: token.from, to: token.to, text: '' });
    throw new Fault('Write and or or between two conditions.', token, {
      from: token.from,
      to: token.from,
      text: 'and ',
    });
  }

  private readOr(): Query {
    return this.readChain('or', '||', () => this.readChain('and', '&&', () => this.readNot()));
  }

  private readChain(word: 'and' | 'or', sign: string, readPart: () => Query): Query {
    const parts = [readPart()];
    for (;;) {
      const token = this.peek();
      if (this.isSign(sign)) throw new Fault(`Write ${word} for ${sign}.`, token, { ...spanOf(token), text: word });
      if (!this.isWord(word)) return parts.length === 1 ? parts[0]! : { kind: word, parts };
      this.take();
      parts.push(readPart());
    }
  }

  private readNot(): Query {
    if (!this.isWord('not')) return this.readPrimary();
    return { kind: 'not', of: this.deeper(this.take(), () => this.readNot()) };
  }

  private readPrimary(): Query {
    if (!this.isSign('(')) return readCondition(this);
    const open = this.take();
    const query = this.deeper(open, () => this.readOr());
    if (this.isSign(')')) {
      this.take();
      return query;
    }
    const token = this.peek();
    if (token.kind === 'end')
      throw new Fault('This bracket is not closed.', open, { from: token.from, to: token.to, text: ')' });
    throw new Fault('Write and or or between two conditions.', token, {
      from: token.from,
      to: token.from,
      text: 'and ',
    });
  }

  private deeper(token: Token, read: () => Query): Query {
    this.depth++;
    if (this.depth > MAX_DEPTH) throw new Fault(`Brackets are at most ${MAX_DEPTH} deep.`, token);
    const query = read();
    this.depth--;
    return query;
  }
}

const spanOf = ({ from, to }: Token) => ({ from, to });

/** Names of the fields that a query asks for. */
export function fieldsOfQuery(query: Query | null): Set<string> {
  const names = new Set<string>();
  const visit = (part: Query): void => {
    if (part.kind === 'and' || part.kind === 'or') for (const each of part.parts) visit(each);
    else if (part.kind === 'not') visit(part.of);
    else if (part.kind !== 'words') names.add(part.field.name);
  };
  if (query) visit(query);
  return names;
}
