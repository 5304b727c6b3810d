/** Where a search text stands in a line as it is shown. */
import { readPattern } from '@mealtable/protocol/search-pattern';
import type { Span } from './ansi';

/** @returns beginnings and ends of what matches, in order */
export type Matcher = (text: string) => [begin: number, end: number][];

/** Null when there is nothing to look for, or the pattern cannot be read. */
export function makeMatcher(search: string, isRegex: boolean): Matcher | null {
  if (search === '' || (isRegex && !readPattern(search).ok)) return null;
  const source = isRegex ? search : search.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const pattern = new RegExp(source, 'gi');
  return (text) => [...text.matchAll(pattern)].filter((m) => m[0] !== '').map((m) => [m.index, m.index + m[0].length]);
}

export interface MarkedSpan extends Span {
  isMatch: boolean;
}

/** Cuts the pieces of a line where matches begin and end. */
export function markMatches(spans: readonly Span[], matcher: Matcher | null): MarkedSpan[] {
  const matches = matcher?.(spans.map((span) => span.text).join('')) ?? [];
  const marked: MarkedSpan[] = [];
  let at = 0;
  for (const { text, className } of spans) {
    const end = at + text.length;
    const add = (from: number, to: number, isMatch: boolean) => {
      const [begin, stop] = [Math.max(from, at), Math.min(to, end)];
      if (begin < stop) marked.push({ text: text.slice(begin - at, stop - at), className, isMatch });
    };
    let from = at;
    for (const [begin, stop] of matches) {
      add(from, begin, false);
      add(begin, stop, true);
      from = Math.max(from, stop);
    }
    add(from, end, false);
    at = end;
  }
  return marked;
}
